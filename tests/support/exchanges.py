"""Calls to an ASGI application as a server makes them, and receivers for its signals."""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

from django.dispatch import Signal
from django.http import HttpResponse

from async_views.runtime.asgi.types import Message

SECONDS = 60


class Exchange:
    """A request to the application and its response, message by message."""

    def __init__(self, app: Any, path: str = "/async/", **named: Any) -> None:
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"testserver")],
        } | named
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        # Without the context variables of the test, as in a server.
        self.task: asyncio.Task[None] = asyncio.create_task(
            app(self.scope, self.received.get, self.sent.put),
            context=contextvars.Context(),
        )

    def tell(self, kind: str, **named: Any) -> None:
        self.received.put_nowait({"type": f"http.{kind}"} | named)

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), SECONDS)

    async def end(self) -> None:
        """Waits for the application, and raises its exception."""
        await asyncio.wait_for(self.task, SECONDS)


async def get(app: Any, path: str = "/async/", **named: Any) -> HttpResponse:
    """The complete response to a GET request."""
    exchange = Exchange(app, path, **named)
    exchange.tell("request")
    start = await exchange.next()
    body, more = b"", True
    while more:
        message = await exchange.next()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await exchange.end()
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return HttpResponse(body, status=start["status"], headers=headers)


async def no_other_task() -> None:
    """Waits until there is no other task; raises TimeoutError if one remains."""
    async with asyncio.timeout(SECONDS):
        while asyncio.all_tasks() != {asyncio.current_task()}:
            await asyncio.sleep(0)


@contextlib.contextmanager
def connected(signal: Signal, receiver: Callable[..., Any]) -> Iterator[None]:
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)
