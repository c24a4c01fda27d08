"""How does a test talk to an application as a server does, and hear its signals?"""

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
    """A request to the application, message by message, and what it sends back."""

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
        # Without the test's own context variables, as a server would.
        self.task: asyncio.Task[None] = asyncio.create_task(
            app(self.scope, self.received.get, self.sent.put),
            context=contextvars.Context(),
        )

    def tell(self, kind: str, **named: Any) -> None:
        self.received.put_nowait({"type": f"http.{kind}"} | named)

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), SECONDS)

    async def end(self) -> None:
        """Raises what the application raises."""
        await asyncio.wait_for(self.task, SECONDS)


async def get(app: Any, path: str = "/async/", **named: Any) -> HttpResponse:
    """The whole answer to a GET."""
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
    """Returns when no other task is left; raises TimeoutError where one stays."""
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
