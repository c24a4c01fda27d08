"""The gateway and the event loop that serve a request."""

import asyncio
import itertools
import os
import weakref

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

_numbers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, int] = (
    weakref.WeakKeyDictionary()
)
_counter = itertools.count(1)


def gateway(request: HttpRequest) -> str:
    return "ASGI" if isinstance(request, ASGIRequest) else "WSGI"


def event_loop_id() -> str:
    """The running loop as `process-number`, numbered in order of first use.

    Not Python's id(): a new loop often gets the address of the previous one, so that two
    loops would look like one.
    """
    loop = asyncio.get_running_loop()
    if loop not in _numbers:
        _numbers[loop] = next(_counter)
    return f"{os.getpid()}-{_numbers[loop]}"


def serving(request: HttpRequest) -> dict[str, str]:
    """Both, as shown in JSON and on pages."""
    return {"gateway": gateway(request), "event_loop_id": event_loop_id()}
