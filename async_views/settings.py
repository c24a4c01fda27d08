"""The site's settings, each read from the environment once, with its default and unit.

`DEBUG` switches between development and production. It is off unless the environment
turns it on, as `make run` does; some defaults depend on it.
"""

from pathlib import Path

from async_api.outbound.private_targets import parse_private_targets
from async_views.runtime.configuration import environment
from async_views.runtime.configuration.development_secret import development_secret
from async_views.runtime.postgres import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

DEBUG = environment.boolean("DEBUG", default=False)

# --- The server: gunicorn.conf.py reads these ---

HOST = environment.host("HOST", "127.0.0.1")
PORT = environment.integer("PORT", 8000, 0, 65535)
WORKERS = environment.integer("WORKERS", 2, 1, 256)
PREPARE_ON_START = environment.boolean("PREPARE_ON_START", default=DEBUG)
TRUSTED_PROXIES = environment.addresses("TRUSTED_PROXIES", ("127.0.0.1", "::1"))
REQUEST_THREADS = environment.integer("REQUEST_THREADS", 16, 1, 1000)
MAX_REQUESTS = environment.integer("MAX_REQUESTS", 100_000, 0, 1_000_000_000)
GRACEFUL_SECONDS = environment.integer("GRACEFUL_SECONDS", 20, 1, 3600)
RECEIVE_SECONDS = environment.seconds("RECEIVE_SECONDS", 10, 0.1, 3600)
SOCKET_PING_SECONDS = environment.seconds("SOCKET_PING_SECONDS", 8, 0.1, 3600)
SOCKET_SECONDS = environment.seconds("SOCKET_SECONDS", 5, 0.1, 3600)
BODY_BYTES = environment.integer("BODY_BYTES", 1024**2, 1, 1024**3)
ADMIN_BODY_BYTES = environment.integer("ADMIN_BODY_BYTES", 32 * 1024**2, 1, 1024**3)

# --- The database ---

EMBEDDED_POSTGRES_DIR = environment.path("EMBEDDED_POSTGRES_DIR", VAR_DIR / "postgres")
EMBEDDED_POSTGRES = not environment.text("DATABASE_URL")
DATABASES = {
    "default": environment.database(
        "DATABASE_URL", default=embedded.url(EMBEDDED_POSTGRES_DIR)
    )
}
# Each of a worker's REQUEST_THREADS threads keeps a connection of the ORM. A connection
# that has broken is noticed before it is used.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASE_POOL_SIZE = environment.integer("DATABASE_POOL_SIZE", 8, 1, 1000)
DATABASE_SECONDS = environment.seconds("DATABASE_SECONDS", 5, 0.1, 60)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The probe ---

PROBE_ACCESS = environment.choice(
    "PROBE_ACCESS", "anyone" if DEBUG else "staff", ("anyone", "staff")
)
PROBE_PRIVATE_TARGETS = environment.parsed(
    "PROBE_PRIVATE_TARGETS",
    ("127.0.0.0/8", "::1/128", "localhost") if DEBUG else (),
    parse_private_targets,
)
PROBE_MAX_REQUESTS = environment.integer("PROBE_MAX_REQUESTS", 1000, 1, 100_000)
PROBE_MAX_CONCURRENCY = environment.integer("PROBE_MAX_CONCURRENCY", 200, 1, 10_000)
PROBE_MAX_TIMEOUT_SECONDS = environment.seconds(
    "PROBE_MAX_TIMEOUT_SECONDS", 30, 0.1, 600
)
PROBE_BUDGET_SECONDS = environment.seconds("PROBE_BUDGET_SECONDS", 60, 0.1, 3600)
PROBE_BODY_BYTES = environment.integer("PROBE_BODY_BYTES", 10 * 1024**2, 1, 1024**3)
PROBE_HEADER_BYTES = environment.integer("PROBE_HEADER_BYTES", 65_536, 256, 1024**2)
PROBE_HEADER_FIELDS = environment.integer("PROBE_HEADER_FIELDS", 256, 16, 10_000)
PROBE_LIMIT = environment.integer("PROBE_LIMIT", 4, 1, 1000)

# --- Load runs ---

LOAD_MAX_RATE = environment.integer("LOAD_MAX_RATE", 20_000, 1, 1_000_000)
LOAD_MAX_SECONDS = environment.seconds("LOAD_MAX_SECONDS", 600, 1, 1800)
LOAD_MAX_CONNECTIONS = environment.integer("LOAD_MAX_CONNECTIONS", 1000, 1, 60_000)
LOAD_MAX_REQUESTS = environment.integer("LOAD_MAX_REQUESTS", 2_000_000, 1, 20_000_000)
LOAD_MAX_BODY_BYTES = environment.integer("LOAD_MAX_BODY_BYTES", 1024**2, 1, 1024**3)

# --- The bridges ---

BRIDGE_LIMIT = environment.integer("BRIDGE_LIMIT", 4, 1, 1000)
BRIDGE_MAX_TOTAL_SECONDS = environment.seconds("BRIDGE_MAX_TOTAL_SECONDS", 60, 0, 3600)

# --- Users online ---

ONLINE_SOCKETS = environment.integer("ONLINE_SOCKETS", 10_000, 1, 1_000_000)
ONLINE_SOCKETS_OF_AN_ADDRESS = environment.integer(
    "ONLINE_SOCKETS_OF_AN_ADDRESS", 0 if DEBUG else 100, 0, 1_000_000
)
ONLINE_WITHOUT_ORIGIN = environment.boolean("ONLINE_WITHOUT_ORIGIN", default=DEBUG)

# --- The catalog ---

CATALOG_WRITE_ACCESS = environment.choice(
    "CATALOG_WRITE_ACCESS", "anyone" if DEBUG else "token", ("anyone", "token")
)
CATALOG_READS_A_MINUTE = environment.integer(
    "CATALOG_READS_A_MINUTE", 0 if DEBUG else 6000, 0, 1_000_000_000
)
CATALOG_WRITES_A_MINUTE = environment.integer(
    "CATALOG_WRITES_A_MINUTE", 0 if DEBUG else 600, 0, 1_000_000_000
)

# --- Security ---

SECRET_KEY = (
    development_secret(VAR_DIR / "secret_key")
    if DEBUG and not environment.text("SECRET_KEY")
    else environment.secret("SECRET_KEY", cure=" (DEBUG=1 creates one for development)")
)
SECRET_KEY_FALLBACKS = list(environment.secrets("SECRET_KEY_FALLBACKS"))
ALLOWED_HOSTS = list(environment.hosts("ALLOWED_HOSTS", required=not DEBUG))
CSRF_TRUSTED_ORIGINS = list(environment.origins("CSRF_TRUSTED_ORIGINS"))

HTTPS = environment.boolean("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = environment.integer(
    "HSTS_SECONDS", 31_536_000 if HTTPS else 0, 0, 2**31
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.boolean("HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = environment.boolean("HSTS_PRELOAD", default=False)
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_BYTES
CSRF_FAILURE_VIEW = "async_views.runtime.views.problems.csrf_failure"

AUTHENTICATION_BACKENDS = ["async_views.runtime.views.logins.LimitedBackend"]
LOGIN_FAILURES_OF_AN_ADDRESS = environment.integer(
    "LOGIN_FAILURES_OF_AN_ADDRESS", 50, 0, 1_000_000
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

# --- Applications and middleware ---

INSTALLED_APPS = [
    # Without discovery: async_views/apps.py names the applications with admin pages.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "import_export",
    "async_views",
    "async_api",
    "django.contrib.postgres",
    "catalog",
]
MIDDLEWARE = [
    "async_views.runtime.views.health.health",
    "async_views.runtime.handler.security_headers.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "async_views.runtime.views.problems.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "async_views.urls"
ASGI_APPLICATION = "async_views.asgi.application"
WSGI_APPLICATION = "async_views.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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
# The permissions to import and export files in the admin.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "async_views.runtime.static.static_storage.HashedStaticFiles"
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = environment.time_zone("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

LOG_LEVEL = environment.choice(
    "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "async_views.runtime.asgi.log_lines.BoundedFormatter",
            "format": "[{asctime}] [{process}] [{levelname}] {name}: {message}",
            "datefmt": "%Y-%m-%d %H:%M:%S %z",
            "style": "{",
        }
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["refusals"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Django's own handlers would log every warning twice, or only under DEBUG.
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
    },
    "filters": {
        "refusals": {
            "()": "async_views.runtime.asgi.log_lines.RefusalsWithoutTraceback"
        }
    },
}
