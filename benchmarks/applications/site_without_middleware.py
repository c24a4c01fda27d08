"""What is left of this site's work a request when no middleware runs?"""

from benchmarks.applications.site_settings import *  # noqa: F403

MIDDLEWARE = []
