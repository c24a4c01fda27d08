"""How large may a request's body be?"""

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
# What a client is told of a problem: the header fields that describe it, and its body.
Tell = Callable[[Scope, ProblemDetails], tuple[Headers, bytes]]
# As many as a 64-bit length can have.
MAX_DIGITS = 19


def document(scope: Scope, problem: ProblemDetails) -> tuple[Headers, bytes]:
    """What programs are told."""
    return problem.headers(), problem.document()


class BodyLimit:
    """Caps request bodies while they stream in, whatever Content-Length says.

    An application is never handed more than the cap. Past it, the client is
    answered 413 and the application told that the client has gone, so that it frees
    what it spooled. Django alone spools a body of any size before its view runs.

    ``limit`` and ``larger`` are in bytes; ``larger`` holds the caps of the paths that
    begin with its keys, where they are above ``limit``. ``tell`` words the answers given
    here, to which ``headers`` are added. ``linger_seconds`` is for how long the rest of a
    refused upload is read and thrown away: closing on unread data resets the connection,
    and the client would lose the answer that explains it (RFC 9112, section 9.6).
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
        """The cap for a path, in bytes."""
        larger = (cap for prefix, cap in self.larger.items() if path.startswith(prefix))
        return max([self.limit, *larger])

    async def refuse(
        self, problem: ProblemDetails, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answers with the problem, and lets the client read it while it still sends.

        The last message is held back: it is what makes the server close.
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
    """One request as the application sees it: its body ends at the cap."""

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
            # The client has been answered 413, and there is one answer a request.
            return
        self.answered = True
        await self.server_send(message)


def may_have_body(scope: Scope) -> bool:
    """Whether there can be a body: HTTP/1 announces each (RFC 9112, section 6.3)."""
    return not scope["http_version"].startswith("1.") or not ANNOUNCING.isdisjoint(
        dict(scope["headers"])
    )


def too_large(limit: int) -> ProblemDetails:
    return ProblemDetails(
        413, f"The request body is larger than {limit} bytes, the most taken here."
    )


def declared_length(headers: Headers) -> int:
    """The body's length in bytes as its header declares it, 0 where none does.

    Raises ``ValueError`` with a sentence for the client where the header is not one
    decimal number (RFC 9110, section 8.6).
    """
    values = {value for name, value in headers if name == b"content-length"}
    if not values:
        return 0
    value = values.pop()
    if values or not value.isdigit() or len(value) > MAX_DIGITS:
        raise ValueError("Content-Length is not one decimal number of bytes.")
    return int(value)
