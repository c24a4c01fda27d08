"""Which pages may open a WebSocket here.

Browsers let any page open a WebSocket to any site, and send the page's origin in `Origin`
(RFC 6455, section 10.2). The rule is the one of Django's CSRF protection for a POST: the
site's own origin, and those of CSRF_TRUSTED_ORIGINS.
"""

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from async_views.runtime.asgi.forwarded import origin_without_default_port
from async_views.runtime.asgi.problem_details import shortened
from async_views.runtime.asgi.types import Scope
from async_views.runtime.configuration.trusted_origins import is_trusted


class OriginRefused(Exception):
    """A page of this origin, or a client without one, may not open a socket here."""


def require_origin(scope: Scope) -> None:
    """Raises OriginRefused, which names the origin and those that are allowed."""
    own = own_origin(scope)
    origins = header(scope, b"origin")
    if not origins:
        if not settings.ONLINE_WITHOUT_ORIGIN:
            raise OriginRefused(
                "The handshake has no Origin. It must be this site's, unless "
                "ONLINE_WITHOUT_ORIGIN allows clients without one."
            )
        return
    origin = origin_without_default_port(origins[0])
    if len(origins) > 1 or not (origin.lower() == own or is_trusted(origin)):
        raise OriginRefused(
            f"A page of {shortened(', '.join(origins))!r} may not open a socket "
            f"here. Pages of {own!r} may, and those of CSRF_TRUSTED_ORIGINS."
        )


def own_origin(scope: Scope) -> str:
    """The origin of this site's pages; raises OriginRefused for an unknown host."""
    request = HttpRequest()
    request.META["HTTP_HOST"] = ",".join(header(scope, b"host"))
    try:
        host = request.get_host()
    except DisallowedHost as error:
        raise OriginRefused(
            f"This site is not served under the host "
            f"{shortened(request.META['HTTP_HOST'])!r}, which is not in ALLOWED_HOSTS."
        ) from error
    scheme = "https" if scope["scheme"] == "wss" else "http"
    return origin_without_default_port(f"{scheme}://{host}").lower()


def header(scope: Scope, wanted: bytes) -> list[str]:
    return [
        value.decode("latin-1") for name, value in scope["headers"] if name == wanted
    ]
