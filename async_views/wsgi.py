"""What answers, under WSGI: every HTTP page, without the resources of a lifespan."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "async_views.settings")
django_application = get_wsgi_application()

# Django has to be set up before this can read its settings.
from async_views.runtime.static_files import static_files_wsgi  # noqa: E402

application = static_files_wsgi(django_application)
