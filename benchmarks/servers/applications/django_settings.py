"""Settings of a stock Django project as `startproject` creates it, but without DEBUG."""

from async_views.runtime.configuration import environment
from benchmarks.servers.applications import startproject

SECRET_KEY = environment.secret("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = startproject.MIDDLEWARE
ROOT_URLCONF = "benchmarks.servers.applications.django_urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {"default": environment.database("DATABASE_URL", default="")}
TIME_ZONE = "UTC"
USE_TZ = True
