"""Other sites whose pages may send requests: CSRF_TRUSTED_ORIGINS."""

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.http import is_same_domain


def is_trusted(origin: str) -> bool:
    """Whether the setting contains the origin, or a pattern such as https://*.example.org.

    The rule is the one of Django's CSRF protection.
    """
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    return any(
        trusted.scheme == parts.scheme
        and is_same_domain(parts.netloc, trusted.netloc.lstrip("*"))
        for trusted in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS)
    )
