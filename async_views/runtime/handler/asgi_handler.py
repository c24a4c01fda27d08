"""How does an ASGI request reach Django without a thread?

Django's own handler starts a thread for every request, and hops to it for each signal,
for closing the response, and for each hook of its synchronous middleware. This one hops
only for what may block:

- Django's own receivers of request_started and request_finished run in place. Where
  there is any other, of a library or the site, all of them keep their thread and order.
- Closing the response runs in place, unless it closes a database connection: that is
  done on the request's thread.
- A view that ends without waiting long has no task beside it that listens for a
  disconnect.
- Django's middleware gives way to classes that run in place what does no I/O, and only
  promise the request what it may never use.

Written against Django 5.2: `_live_receivers` and `_resource_closers` are private there.
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
from async_views.runtime.handler.request import PromisingRequest
from async_views.runtime.handler.request_threads import RequestThread, RequestThreads
from async_views.runtime.waiting.eager import noticing_the_first_wait
from async_views.runtime.waiting.shared_timer import SharedTimer

DJANGOS_OWN: frozenset[Callable[..., object]] = frozenset(
    {reset_queries, close_old_connections, close_caches, reset_urlconf}
)
# These see to the connections of the thread they run on, and the event loop's thread has
# none: Django refuses to open one there, unless this variable allows it.
OF_CONNECTIONS: frozenset[Callable[..., object]] = (
    frozenset()
    if os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    else frozenset({reset_queries, close_old_connections})
)
# Most requests use the URLconf of the settings, which is what resetting it comes to; the
# others are seen to where they end.
NOT_HERE = OF_CONNECTIONS | {reset_urlconf}


class Handler(ASGIHandler):
    """Django's ASGI application, for `threads` requests that block at the same time."""

    request_class = PromisingRequest
    max_threads = 8
    _patience: "Patience | None" = None

    def __init__(self, threads: int = max_threads) -> None:
        super().__init__()
        self.max_threads = threads
        # With it all views: now, and not while the first client waits.
        import_module(settings.ROOT_URLCONF)

    # Made when first used: Django derives a class from its handler that never calls the
    # constructor.
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

    def patience_on(self, loop: AbstractEventLoop) -> "Patience":
        if self._patience is None or self._patience.loop is not loop:
            self._patience = Patience(loop)
        return self._patience

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
        """One request, from its body to the end of its response."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        listener = Listener(
            lambda: self.listen_for_disconnect(receive),
            (scope.get("extensions") or {}).get(HAS_MESSAGE),
            self.patience_on,
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
                # Behind whatever still runs on the thread, and still reads the body.
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
        """The response, sent as far as there was a client; None if that left before."""
        response = None
        try:
            response = await self.run_get_response(request)
            await self.send_response(response, send)
        except asyncio.CancelledError:
            # Another cancellation than the listener's is the server's, and goes on.
            if not listener.heard:
                raise
        return response

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        """As Django does it; a plain one with what is encoded already of its headers."""
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
        """Sends the signal as `asend` does, without a thread for Django's receivers."""
        receivers = self.receivers[signal].in_place(type(self))
        if receivers is None:
            await signal.asend(type(self), **named)
            return
        for receiver in receivers:
            receiver(signal=signal, sender=type(self), **named)

    async def read_body(self, receive: Receive) -> Any:
        """The body as a file, which is a temporary one only where there is a body."""
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
        """Whether closing has no business on the request's thread.

        Connections that are kept are looked at when the thread next begins a request.
        """
        if not thread.used:
            return True
        kept = all(
            alias["CONN_MAX_AGE"] != 0 for alias in connections.settings.values()
        )
        return kept and thread.is_idle

    def close_in_place(self, response: HttpResponseBase) -> bool:
        """Closes what holds no file and interests nobody but Django; else answers False."""
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
        # What HttpResponseBase.close does: without uploads a request has nothing to close.
        closers.clear()
        response.closed = True
        if has_own_urlconf:
            set_urlconf(None)
        for receiver in receivers:
            receiver(signal=signals.request_finished, sender=type(self))
        return True

    def begin_on_thread(self, scope: Scope) -> None:
        """What request_started does for the connection that a thread has kept."""
        synchronous, _ = signals.request_started._live_receivers(type(self))
        for receiver in DJANGOS_OWN.intersection(synchronous):
            receiver(signal=signals.request_started, sender=type(self), scope=scope)
        self.checked_connections.trust_for_now()


class CheckedConnections(threading.local):
    """When this thread's connections were last asked whether they still work.

    CONN_HEALTH_CHECKS has Django ask that of each at its first use in a request: a
    round trip, which a busy thread would make for each request.
    """

    trusted_seconds = 1.0
    checked_at = -math.inf

    def trust_for_now(self) -> None:
        """Spares them the question if it was asked a moment ago."""
        now = time.monotonic()
        if now - self.checked_at > self.trusted_seconds:
            self.checked_at = now
            return
        for connection in connections.all(initialized_only=True):
            # Django has just asked one whose last request had an error.
            connection.health_check_done = True  # type: ignore[attr-defined]


class Receivers:
    """Who listens to a signal, looked up again only when somebody came or went."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self._known: list[Any] | None = None
        self._in_place: list[Callable[..., object]] | None = None

    def in_place(self, sender: type) -> list[Callable[..., object]] | None:
        """Those to call in place; None where anybody listens but Django itself."""
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
    """Whether close_caches does anything: Django's caches on servers close, others not."""
    return any(
        import_string(cache["BACKEND"]).close is not BaseCache.close
        for cache in settings.CACHES.values()
    )


class Patience(SharedTimer["Listener"]):
    """For how long a request waits before its listener begins to listen."""

    seconds = 0.02

    def __init__(self, loop: AbstractEventLoop) -> None:
        super().__init__(loop, self.seconds, Listener.begin)


class Listener:
    """Cancels the task of a request whose client has left.

    When the request first waits it looks whether the client has left already, and begins
    to listen once the `Patience` for that wait is over: most have their answer before, and
    a task for each would cost more than the wait. Looking is asking for a message, which
    a server that says beforehand whether there is one (see `HAS_MESSAGE`) is spared.
    """

    def __init__(
        self,
        listen: Callable[[], Coroutine[Any, Any, object]],
        has_message: Callable[[], bool] | None,
        patience_on: Callable[[AbstractEventLoop], "Patience"],
    ) -> None:
        self.heard = False
        # What else went wrong with listening, for the request to raise.
        self.error: Exception | None = None
        self._listen = listen
        self._has_message = has_message
        self._patience_on = patience_on
        self._patience: Patience | None = None
        self._listening: asyncio.Task[None] | None = None
        self._request: asyncio.Task[Any] | None = None

    def start(self) -> None:
        # Python 3.11 asks the kernel for the process each time it is asked for the loop.
        loop = asyncio.get_running_loop()
        self._request = asyncio.current_task(loop)
        if self._is_silent():
            self._patience = self._patience_on(loop)
            self._patience.start(self)

    def _is_silent(self) -> bool:
        """Whether nothing is to be heard yet; what is, counts as heard."""
        if self._has_message is not None and not self._has_message():
            return True
        listening = self._listen()
        try:
            listening.send(None)
        except Exception as error:
            self._hear(error)
            return False
        # It would have to wait, and so leaves the message to who asks next.
        listening.close()
        return True

    def stop(self) -> None:
        """From here on the request is not cancelled, nor counts as having been."""
        request, self._request = self._request, None
        if request is None:
            return
        if self._patience is not None:
            self._patience.stop(self)
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
        """Listening ends with RequestAborted where the client has left."""
        if not isinstance(error, RequestAborted):
            self.error = error
        assert self._request is not None
        self.heard = True
        self._request.cancel()
