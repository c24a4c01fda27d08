"""Who may run a probe?"""

from django.conf import settings
from django.http import HttpRequest


class LoginNeeded(Exception):
    """Only staff may probe here, and this is nobody of the staff."""


async def require_access(request: HttpRequest) -> None:
    """Raises LoginNeeded unless PROBE_ACCESS lets this person in."""
    if settings.PROBE_ACCESS == "anyone":
        return
    user = await request.auser()
    if not (user.is_active and user.is_staff):
        raise LoginNeeded


def is_cross_site(request: HttpRequest) -> bool:
    """Whether another site's page, not this person, made the browser ask.

    Browsers say so themselves (https://www.w3.org/TR/fetch-metadata/): `none` is an
    address typed, a bookmark or a link from another program, and programs other than
    browsers send nothing.
    """
    return request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}


def is_navigation(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Mode") == "navigate"


def is_prefetch(request: HttpRequest) -> bool:
    """Whether a browser asks in case somebody might come (Sec-Purpose)."""
    return "prefetch" in request.headers.get("Sec-Purpose", "")
