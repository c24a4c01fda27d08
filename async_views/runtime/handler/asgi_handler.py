"""Django's ASGI handler without a thread for each request.

Django's handler starts a thread for every request, and hops to it for each signal, for
closing the response, and for each hook of its synchronous middleware. This one hops only
for code that may block:

- Django's own receivers of request_started and request_finished run in place. If a signal
  has any other receiver, all of its receivers keep their thread and order.
- Closing the response runs in place, unless that closes a database connection, which is
  done on the request's thread.
- A task that listens for a disconnect is created only for a view that waits long enough.
- Django's middleware is replaced by classes that run in place what does no I/O, and that
  create the session, user and messages only when they are used.

README.md lists the parts of Django that this relies on.
"""

import asyncio
import io
import math
import os
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine
from functools import cached_property
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signals
from django.core.cache import close_caches
from django.core.cache.backends.base import BaseCache
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.handlers.base import reset_urlconf
from django.db import close_old_connections, connections, reset_queries
from django.dispatch import Signal
from django.http.response import HttpResponse, HttpResponseBase
from django.urls import set_script_prefix, set_urlconf
from django.utils.module_loading import import_string

from async_views.runtime.asgi.types import HAS_MESSAGE, Message, Receive, Scope, Send
from async_views.runtime.handler.closing import resource_closers
from async_views.runtime.handler.header_fields import fields_of
from async_views.runtime.handler.middleware_loader import load_middleware
from async_views.runtime.handler.request import LazyRequest
from async_views.runtime.handler.request_threads import RequestThread, RequestThreads
from async_views.runtime.waiting.eager import noticing_the_first_wait
from async_views.runtime.waiting.shared_timer import SharedTimer

DJANGOS_OWN: frozenset[Callable[..., object]] = frozenset(
    {reset_queries, close_old_connections, close_caches, reset_urlconf}
)
# These handle the connections of the thread they run on. The event loop's thread has none:
# Django refuses to open one there, unless this variable allows it.
OF_CONNECTIONS: frozenset[Callable[..., object]] = (
    frozenset()
    if os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    else frozenset({reset_queries, close_old_connections})
)
# Resetting the URLconf matters only to requests with their own, which do it when they end.
NOT_HERE = OF_CONNECTIONS | {reset_urlconf}


class Handler(ASGIHandler):
    """Django's ASGI application; at most `threads` requests block at the same time."""

    request_class = LazyRequest
    max_threads = 8
    _listen_delay: "ListenDelay | None" = None

    def __init__(self, threads: int = max_threads) -> None:
        super().__init__()
        self.max_threads = threads
        # It imports all views: now, rather than while the first client waits.
        import_module(settings.ROOT_URLCONF)

    # Created when first used, because a class that Django derives from its handler does not
    # call the constructor.
    @cached_property
    def threads(self) -> RequestThreads:
        return RequestThreads(self.max_threads)

    @cached_property
    def receivers(self) -> dict[Signal, "Receivers"]:
        return {
            signal: Receivers(signal)
            for signal in (signals.request_started, signals.request_finished)
        }

    @cached_property
    def checked_connections(self) -> "CheckedConnections":
        return CheckedConnections()

    def listen_delay_on(self, loop: AbstractEventLoop) -> "ListenDelay":
        if self._listen_delay is None or self._listen_delay.loop is not loop:
            self._listen_delay = ListenDelay(loop)
        return self._listen_delay

    def load_middleware(self, is_async: bool = False) -> None:
        load_middleware(self, is_async)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(
                f"Django can only handle ASGI/HTTP connections, not {scope['type']}."
            )
        await self.handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        thread = RequestThread(self.threads, lambda: self.begin_on_thread(scope))
        with thread:
            await self.exchange(scope, receive, send, thread)

    async def exchange(
        self, scope: Scope, receive: Receive, send: Send, thread: RequestThread
    ) -> None:
        """Handles one request, from its body to the end of its response."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        listener = Listener(
            lambda: self.listen_for_disconnect(receive),
            (scope.get("extensions") or {}).get(HAS_MESSAGE),
            self.listen_delay_on,
        )
        try:
            set_script_prefix(get_script_prefix(scope))
            await self.announce(signals.request_started, scope=scope)
            request, refusal = self.create_request(scope, body)
            response: HttpResponseBase | None = refusal
            if request is not None:
                response = await noticing_the_first_wait(
                    self.respond(request, send, listener), listener.start
                )
            elif refusal is not None:
                await self.send_response(refusal, send)
            listener.stop()
            if response is None and thread.used:
                # After whatever still runs on the thread, and may still read the body.
                await signals.request_finished.asend(type(self))
            elif response is None:
                set_urlconf(None)
                await self.announce(signals.request_finished)
            elif not self.may_close_in_place(thread) or not self.close_in_place(
                response
            ):
                await sync_to_async(response.close)()
        finally:
            listener.stop()
            body.close()
        if listener.error is not None:
            raise listener.error

    async def respond(
        self, request: ASGIRequest, send: Send, listener: "Listener"
    ) -> HttpResponseBase | None:
        """Sends the response and returns it; returns None if the client left before."""
        response = None
        try:
            response = await self.run_get_response(request)
            await self.send_response(response, send)
        except asyncio.CancelledError:
            # A cancellation that is not the listener's is the server's.
            if not listener.heard:
                raise
        return response

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        """As Django's, but plain responses use header fields that are already encoded."""
        if (
            not isinstance(response, HttpResponse)
            or response.cookies
            or len(response.content) > self.chunk_size
        ):
            await super().send_response(response, send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": fields_of(response),
            }
        )
        await send({"type": "http.response.body", "body": response.content})

    async def announce(self, signal: Signal, **named: Any) -> None:
        """Sends the signal as `asend` does, but calls Django's receivers in place."""
        receivers = self.receivers[signal].in_place(type(self))
        if receivers is None:
            await signal.asend(type(self), **named)
            return
        for receiver in receivers:
            receiver(signal=signal, sender=type(self), **named)

    async def read_body(self, receive: Receive) -> Any:
        """Reads the body into a file; creates a temporary file only if there is a body."""
        first = await receive()
        if first["type"] == "http.request" and not (
            first.get("body") or first.get("more_body")
        ):
            return io.BytesIO()
        messages = [first]

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        return await super().read_body(receive_again)

    def may_close_in_place(self, thread: RequestThread) -> bool:
        """Whether closing the response needs nothing of the request's thread.

        Persistent connections are checked when the thread next begins a request.
        """
        if not thread.used:
            return True
        kept = all(
            alias["CONN_MAX_AGE"] != 0 for alias in connections.settings.values()
        )
        return kept and thread.is_idle

    def close_in_place(self, response: HttpResponseBase) -> bool:
        """Closes a response without files or foreign receivers; else returns False."""
        receivers = self.receivers[signals.request_finished].in_place(type(self))
        if (
            receivers is None
            or response.streaming
            or type(response).close is not HttpResponseBase.close
        ):
            return False
        closers = resource_closers(response)
        has_own_urlconf = False
        for close in closers:
            request = getattr(close, "__self__", None)
            if not isinstance(request, ASGIRequest) or getattr(request, "_files", None):
                return False
            has_own_urlconf |= hasattr(request, "urlconf")
        # As HttpResponseBase.close; a request without uploads has nothing to close.
        closers.clear()
        response.closed = True
        if has_own_urlconf:
            set_urlconf(None)
        for receiver in receivers:
            receiver(signal=signals.request_finished, sender=type(self))
        return True

    def begin_on_thread(self, scope: Scope) -> None:
        """Does what request_started does for the connection that a thread has kept."""
        synchronous, _ = signals.request_started._live_receivers(type(self))
        for receiver in DJANGOS_OWN.intersection(synchronous):
            receiver(signal=signals.request_started, sender=type(self), scope=scope)
        self.checked_connections.trust_for_now()


class CheckedConnections(threading.local):
    """When this thread's connections were last checked.

    With CONN_HEALTH_CHECKS Django checks each connection when a request first uses it: a
    round trip, which a busy thread would make for every request.
    """

    trusted_seconds = 1.0
    checked_at = -math.inf

    def trust_for_now(self) -> None:
        """Skips the check if the last one was a moment ago."""
        now = time.monotonic()
        if now - self.checked_at > self.trusted_seconds:
            self.checked_at = now
            return
        for connection in connections.all(initialized_only=True):
            # Django has already checked a connection whose last request had an error.
            connection.health_check_done = True  # type: ignore[attr-defined]


class Receivers:
    """The receivers of a signal, looked up again only when they have changed."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._known: list[Any] | None = None
        self._in_place: list[Callable[..., object]] | None = None

    def in_place(self, sender: type) -> list[Callable[..., object]] | None:
        """The receivers to call in place; None if there are others than Django's own."""
        if self._signal.receivers != self._known:
            self._known = list(self._signal.receivers)
            synchronous, asynchronous = self._signal._live_receivers(sender)
            only_djangos = not asynchronous and DJANGOS_OWN.issuperset(synchronous)
            idle = NOT_HERE if some_cache_closes() else NOT_HERE | {close_caches}
            self._in_place = (
                [each for each in synchronous if each not in idle]
                if only_djangos
                else None
            )
        return self._in_place


def some_cache_closes() -> bool:
    """Whether close_caches does anything: only some cache backends have to be closed."""
    return any(
        import_string(cache["BACKEND"]).close is not BaseCache.close
        for cache in settings.CACHES.values()
    )


class ListenDelay(SharedTimer["Listener"]):
    """How long a request waits before its listener begins to listen."""

    seconds = 0.02

    def __init__(self, loop: AbstractEventLoop) -> None:
        super().__init__(loop, self.seconds, Listener.begin)


class Listener:
    """Cancels the task of a request whose client has left.

    When the request first waits, the listener checks for a disconnect, and begins to
    listen after a `ListenDelay`: most requests finish before, and a task for each would
    cost more than the wait. A server that reports whether there is a message (see
    `HAS_MESSAGE`) saves it the check, which is a call of `receive`.
    """

    def __init__(
        self,
        listen: Callable[[], Coroutine[Any, Any, object]],
        has_message: Callable[[], bool] | None,
        listen_delay_on: Callable[[AbstractEventLoop], "ListenDelay"],
    ) -> None:
        self.heard = False
        # An error of listening other than a disconnect, for the request to raise.
        self.error: Exception | None = None
        self._listen = listen
        self._has_message = has_message
        self._listen_delay_on = listen_delay_on
        self._listen_delay: ListenDelay | None = None
        self._listening: asyncio.Task[None] | None = None
        self._request: asyncio.Task[Any] | None = None

    def start(self) -> None:
        # Looked up once: in Python 3.11 each lookup calls getpid.
        loop = asyncio.get_running_loop()
        self._request = asyncio.current_task(loop)
        if self._is_silent():
            self._listen_delay = self._listen_delay_on(loop)
            self._listen_delay.start(self)

    def _is_silent(self) -> bool:
        """Whether no message is there yet; if one is, it counts as received."""
        if self._has_message is not None and not self._has_message():
            return True
        listening = self._listen()
        try:
            listening.send(None)
        except Exception as error:
            self._hear(error)
            return False
        # It would have to wait, so it has taken no message.
        listening.close()
        return True

    def stop(self) -> None:
        """Stops listening; takes back a cancellation that was not delivered."""
        request, self._request = self._request, None
        if request is None:
            return
        if self._listen_delay is not None:
            self._listen_delay.stop(self)
        if self._listening is not None:
            self._listening.cancel()
        if self.heard:
            request.uncancel()

    def begin(self) -> None:
        self._listening = asyncio.create_task(self._cancel_when_heard())

    async def _cancel_when_heard(self) -> None:
        try:
            await self._listen()
        except Exception as error:
            self._hear(error)

    def _hear(self, error: Exception) -> None:
        """Cancels the request; RequestAborted says that the client has left."""
        if not isinstance(error, RequestAborted):
            self.error = error
        assert self._request is not None
        self.heard = True
        self._request.cancel()
