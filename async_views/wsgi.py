"""The WSGI application: every page over HTTP, without the resources of a lifespan."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "async_views.settings")
django_application = get_wsgi_application()

# Django has to be set up before these can read its settings.
from django.conf import settings

from async_views.runtime.asgi.forwarded import forwarded_wsgi
from async_views.runtime.handler.request_content import CheckedWSGIRequest
from async_views.runtime.postgres.pending_migrations import required_migrations
from async_views.runtime.static.static_files import static_files_wsgi

# Read before the first request waits for it.
required_migrations()

django_application.request_class = CheckedWSGIRequest
application = forwarded_wsgi(
    static_files_wsgi(django_application), settings.TRUSTED_PROXIES
)
