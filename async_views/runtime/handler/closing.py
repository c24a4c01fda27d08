"""What closing a response calls."""

from collections.abc import Callable

from django.http.response import HttpResponseBase


def resource_closers(response: HttpResponseBase) -> list[Callable[[], object]]:
    """What closing the response calls before it says that the request is finished."""
    closers: list[Callable[[], object]] = response._resource_closers  # type: ignore[attr-defined]
    return closers
