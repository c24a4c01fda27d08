"""The site with shorter repeat and expiry times for its counter of users online."""

from async_api.online import broadcast
from async_api.online.leases import Times

# Set before the site imports the constant.
broadcast.REPEAT_SECONDS = 1.0

from async_api.online import presence  # noqa: E402

presence.TIMES = Times(heartbeat=0.5, lease=1.5)

from async_views.asgi import application  # noqa: E402

__all__ = ["application"]
