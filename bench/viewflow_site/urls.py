"""The site, and the application that the server loads."""
# mypy: ignore-errors
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "viewflow_site.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from django.urls import path  # noqa: E402
from viewflow.contrib.auth import AuthViewset  # noqa: E402
from viewflow.urls import Site  # noqa: E402
from viewflow.workflow.flow import FlowAppViewset  # noqa: E402

from .flows import RequestFlow  # noqa: E402

site = Site(title="bench", viewsets=[FlowAppViewset(RequestFlow, icon="assignment", app_name="request")])
urlpatterns = [path("accounts/", AuthViewset(with_profile_view=False).urls), path("", site.urls)]
