"""Django's settings: what viewflow's tutorial has, without the admin; connections stay open, as ours do."""
import json
import os

place = json.loads(os.environ["BENCH_DATABASE"])
DEBUG = False
SECRET_KEY = "bench"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "viewflow_site.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles", "viewflow",
    "viewflow.workflow", "viewflow_site",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
    "django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}]
STATIC_URL = "/static/"
DATABASES = {"default": {
    "ENGINE": place.get("engine", "django.db.backends.postgresql"), "NAME": place["dbname"], "USER": place.get("user"), "PASSWORD": place.get("password"),
    "HOST": place.get("host"), "PORT": place.get("port", ""), "CONN_MAX_AGE": None,
}}
