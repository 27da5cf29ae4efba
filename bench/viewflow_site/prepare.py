"""Tables, and one officer who may do every step."""
# mypy: ignore-errors
import os

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "viewflow_site.settings")
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.models import Permission, User  # noqa: E402

user = User.objects.create_user("officer", password="Guicheng-2026")
user.user_permissions.add(Permission.objects.get(content_type__app_label="viewflow_site", codename="view_request"))
