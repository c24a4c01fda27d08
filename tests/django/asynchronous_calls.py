"""Calling asynchronous code from tests that were written for synchronous calls.

Few of Django's tests of middleware await anything: most call it, or send requests through
`Client`, which calls it. Here those calls are awaited on an event loop, as under ASGI,
while the tests, and with them their transaction, keep their thread.
"""

from typing import Any

import django.test.client
from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from tests.django.substitution import HANDLER, MIDDLEWARE, named, put_in_place_of


class AsynchronousChain(django.test.client.ClientHandler):
    """A handler for `Client` that calls all middleware as under ASGI."""

    def load_middleware(self, is_async: bool = True) -> None:
        # Calls stock Django's handler or ours, depending on the run.
        named(HANDLER).load_middleware(self, is_async=True)  # type: ignore[attr-defined]

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        return async_to_sync(self.get_response_async)(request)


class AsynchronousCall(MiddlewareMixin):
    """A mixin for middleware whose synchronous call awaits the asynchronous one."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self._awaited = (
            None
            if iscoroutinefunction(get_response)
            else type(self)(sync_to_async(get_response))
        )

    def __call__(self, request: HttpRequest) -> Any:
        if self._awaited is None:
            return super().__call__(request)
        return async_to_sync(self._awaited)(request)


def use_asynchronous_calls() -> None:
    """Makes tests that this process imports from now on call middleware asynchronously.

    If both are used, call it after use_our_classes.
    """
    client: Any = django.test.client
    client.ClientHandler = AsynchronousChain
    for path in MIDDLEWARE:
        middleware = named(path)
        awaiting = type(
            middleware.__name__,
            (AsynchronousCall, middleware),
            {"__module__": middleware.__module__},
        )
        put_in_place_of(middleware, awaiting)
