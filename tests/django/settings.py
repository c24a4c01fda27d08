"""Settings for Django's tests, like its own `test_sqlite` but with PostgreSQL."""

import os
from pathlib import Path

from async_views.runtime.configuration import environment

# Set by tests.django.run.
CLASSES = os.environ["CLASSES"]
CALLS = os.environ["CALLS"]
OUTCOMES = Path(os.environ["OUTCOMES"])

_SERVER = environment.database("DATABASE_URL", default="")

# Several runs share the server; each has its own databases.
DATABASES = {
    alias: _SERVER | {"TEST": {"NAME": f"django_{CLASSES}_{CALLS}_{alias}"}}
    for alias in ("default", "other")
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "django_tests_secret_key"
TEST_RUNNER = "tests.django.runner.RecordingRunner"
USE_TZ = False
