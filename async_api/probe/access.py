"""Who may run a probe, and how many at once?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest

from async_views.runtime.problems import Problem

RETRY_AFTER_SECONDS = 5

# Of this worker. A thread's semaphore, because a synchronous gateway's probes run in
# threads; it is never waited for, so that it cannot block the event loop either.
_places = threading.BoundedSemaphore(settings.PROBE_LIMIT)


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


@contextmanager
def place() -> Iterator[None]:
    """One of this worker's PROBE_LIMIT places; raises a 429 Problem when all are taken."""
    if not _places.acquire(blocking=False):
        raise Problem(
            429,
            f"{settings.PROBE_LIMIT} probes are running here, which is as many as may. "
            f"Try again in {RETRY_AFTER_SECONDS} seconds.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    try:
        yield
    finally:
        _places.release()
