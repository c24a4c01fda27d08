"""Limits on the size of request bodies."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from async_views.runtime.asgi.problem_details import ProblemDetails
from async_views.runtime.asgi.types import (
    Application,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
)

ANNOUNCING = frozenset({b"content-length", b"transfer-encoding"})
# Renders a problem: header fields and body.
Tell = Callable[[Scope, ProblemDetails], tuple[Headers, bytes]]
# Of a 64-bit number.
MAX_DIGITS = 19


def document(scope: Scope, problem: ProblemDetails) -> tuple[Headers, bytes]:
    """The problem as a JSON document."""
    return problem.headers(), problem.document()


class BodyLimit:
    """Caps request bodies while they stream in, whatever Content-Length says.

    The application never receives more than the limit. Beyond it, the client gets a
    413, and the application a disconnect, so that it frees what it has spooled. Django
    alone spools a body of any size before its view runs.

    ``limit`` is in bytes. ``larger`` maps prefixes of paths to larger limits. ``tell``
    renders the responses sent here, to which ``headers`` are added. For ``linger_seconds``
    the rest of a refused upload is read and discarded: closing a connection with unread
    data resets it, and the client would lose the response (RFC 9112, section 9.6).
    """

    def __init__(
        self,
        app: Application,
        limit: int,
        larger: Mapping[str, int],
        headers: Headers = (),
        linger_seconds: float = 2.0,
        tell: Tell = document,
    ) -> None:
        self.app = app
        self.limit = limit
        self.larger = dict(larger)
        self.tell = tell
        self.headers = [*headers, (b"connection", b"close")]
        self.linger_seconds = linger_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not may_have_body(scope):
            await self.app(scope, receive, send)
            return
        limit = self.limit_for(scope["path"])
        try:
            declared = declared_length(scope["headers"])
        except ValueError as error:
            await self.refuse(ProblemDetails(400, str(error)), scope, receive, send)
            return
        if declared > limit:
            await self.refuse(too_large(limit), scope, receive, send)
            return

        async def refuse() -> None:
            await self.refuse(too_large(limit), scope, receive, send)

        exchange = CappedExchange(limit, receive, send, refuse)
        await self.app(scope, exchange.receive, exchange.send)

    def limit_for(self, path: str) -> int:
        """The limit for a path, in bytes."""
        larger = (cap for prefix, cap in self.larger.items() if path.startswith(prefix))
        return max([self.limit, *larger])

    async def refuse(
        self, problem: ProblemDetails, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Responds with the problem, and lets the client read it while it still sends.

        The last message waits, because it makes the server close the connection.
        """
        described, body = self.tell(scope, problem)
        await send(
            {
                "type": "http.response.start",
                "status": problem.status,
                "headers": [*described, *self.headers],
            }
        )
        await send({"type": "http.response.body", "body": body, "more_body": True})
        try:
            async with asyncio.timeout(self.linger_seconds):
                while (await receive()).get("more_body", False):
                    pass
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class CappedExchange:
    """One request as the application sees it: its body ends at the limit."""

    def __init__(
        self,
        limit: int,
        receive: Receive,
        send: Send,
        refuse: Callable[[], Awaitable[None]],
    ) -> None:
        self.limit = limit
        self.received = 0
        self.answered = False
        self.server_receive = receive
        self.server_send = send
        self.refuse = refuse

    async def receive(self) -> Message:
        if self.received <= self.limit:
            message = await self.server_receive()
            self.received += len(message.get("body", b""))
            if self.received <= self.limit:
                return message
            if not self.answered:
                await self.refuse()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.received > self.limit and not self.answered:
            # The client has its response already: 413.
            return
        self.answered = True
        await self.server_send(message)


def may_have_body(scope: Scope) -> bool:
    """Whether there can be a body: in HTTP/1 a header field announces it (RFC 9112, 6.3)."""
    return not scope["http_version"].startswith("1.") or not ANNOUNCING.isdisjoint(
        dict(scope["headers"])
    )


def too_large(limit: int) -> ProblemDetails:
    return ProblemDetails(
        413, f"The request body is larger than {limit} bytes, which is the limit here."
    )


def declared_length(headers: Headers) -> int:
    """The body's length in bytes as declared by Content-Length, 0 without one.

    Raises ``ValueError`` with a message for the client if the field is not one decimal
    number (RFC 9110, section 8.6).
    """
    values = {value for name, value in headers if name == b"content-length"}
    if not values:
        return 0
    value = values.pop()
    if values or not value.isdigit() or len(value) > MAX_DIGITS:
        raise ValueError("Content-Length is not one decimal number of bytes.")
    return int(value)
