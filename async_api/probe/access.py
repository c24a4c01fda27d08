"""Who may run a probe, and who may not make a browser run one."""

from django.conf import settings
from django.http import HttpRequest


class LoginNeeded(Exception):
    """Only staff may probe here, and this request is not from a member of staff."""


class CrossSite(Exception):
    """Another site's page made the browser send this request."""

    notice = (
        "Another site sent you here, so nothing has been sent yet. Look at the URL and "
        "send the requests yourself if that is what you want."
    )

    def __init__(self) -> None:
        super().__init__("A page of another site may not start a probe.")


async def require_access(request: HttpRequest) -> None:
    """Raises LoginNeeded unless PROBE_ACCESS lets this user in."""
    if settings.PROBE_ACCESS == "anyone":
        return
    user = await request.auser()
    if not (user.is_active and user.is_staff):
        raise LoginNeeded


def refuse_cross_site(request: HttpRequest) -> None:
    """Raises CrossSite where another site's page, not a person, starts the probe."""
    if is_cross_site(request):
        raise CrossSite


def is_cross_site(request: HttpRequest) -> bool:
    """Whether another site's page made the browser send this request.

    Browsers say so themselves (https://www.w3.org/TR/fetch-metadata/): `none` is a typed
    address, a bookmark or a link from another program. Clients other than browsers send
    no such header.
    """
    return request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}


def is_navigation(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Mode") == "navigate"


def is_prefetch(request: HttpRequest) -> bool:
    """Whether a browser prefetches the page, in case the user visits it."""
    return "prefetch" in request.headers.get("Sec-Purpose", "")
