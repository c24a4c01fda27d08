"""The security headers of every response.

Django's SecurityMiddleware and XFrameOptionsMiddleware add some of them to Django's
responses. `SECURITY_HEADERS` is the whole set, also for responses without Django: static
files, and refusals by the server.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from async_views.runtime.handler.header_fields import add_missing, checked
from async_views.runtime.handler.middleware_layers import InPlace


def content_security_policy(own: str) -> str:
    """A policy that allows only `own` as sources of scripts and styles."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {own}",
            f"style-src {own}",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


CONTENT_SECURITY_POLICY = content_security_policy("'self'")
# Django's technical error page, shown with DEBUG only, has inline styles and scripts.
TECHNICAL_PAGE_POLICY = content_security_policy("'self' 'unsafe-inline'")

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def asgi_security_headers() -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode(), value.encode())
        for name, value in SECURITY_HEADERS.items()
    ]


SECURITY_FIELDS = checked(SECURITY_HEADERS)


def secure(response: HttpResponseBase) -> HttpResponseBase:
    add_missing(response, SECURITY_FIELDS)
    if response.status_code == 500 and settings.DEBUG:
        response.headers["Content-Security-Policy"] = TECHNICAL_PAGE_POLICY
    return response


class SecurityHeadersMiddleware(InPlace, MiddlewareMixin):
    """Sets the headers on all responses that pass it; health.py sets its own."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return secure(response)
