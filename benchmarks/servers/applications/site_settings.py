"""The site's settings for the comparison: other URLs, and no access log."""

import logging

from async_views.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.servers.applications.site_urls"

# No peer writes an access log.
logging.getLogger("gunicorn.access").setLevel(logging.WARNING)
