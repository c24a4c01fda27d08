"""The site's settings for the comparison, without middleware."""

from benchmarks.servers.applications.site_settings import *  # noqa: F403

MIDDLEWARE = []
