"""Tables, and one officer who may do every step."""
# mypy: ignore-errors
from django.contrib.auth.models import Permission, User
from django.core.management import call_command

import viewflow_site.urls  # noqa: F401

call_command("migrate", verbosity=0)
user = User.objects.create_user("officer", password="Guicheng-2026")
user.user_permissions.add(Permission.objects.get(content_type__app_label="viewflow_site", codename="view_request"))
