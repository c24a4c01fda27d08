"""What is left of this site's work a request when no middleware runs?"""

from benchmarks.servers.applications.site_settings import *  # noqa: F403

MIDDLEWARE = []
