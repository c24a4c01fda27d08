"""The WebSocket application of /counter: sends numbers until one side leaves.

https://asgi.readthedocs.io/en/latest/specs/www.html#websocket
"""

import asyncio
import logging

from async_api.online.broadcast import GONE, Socket
from async_api.online.origins import OriginRefused, require_origin
from async_api.online.presence import PRESENCE, Presence
from async_api.online.socket_limit import SocketLimitReached
from async_views.runtime.asgi.problem_details import RETRY_AFTER_SECONDS, ProblemDetails
from async_views.runtime.asgi.routing import refuse_websocket
from async_views.runtime.asgi.types import Headers, Receive, Scope, Send

logger = logging.getLogger(__name__)

# https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
# A client may send this many messages, which nothing reads, before it is disconnected.
MAX_MESSAGES = 10
# A client that has not read for this long is disconnected.
STALLED_SECONDS = 15.0
# For sending the close frame to a client that does not read.
CLOSING_SECONDS = 1.0


class TooManyMessages(Exception):
    """The client sent more messages than MAX_MESSAGES."""


class Conversation:
    """The WebSocket application. ``headers`` are added to its refusals."""

    def __init__(self, headers: Headers) -> None:
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        presence = PRESENCE.of(scope)
        address = (scope.get("client") or ("",))[0]
        try:
            require_origin(scope)
            with presence.socket_limit.slot(address):
                await converse(presence, receive, send)
        except (OriginRefused, SocketLimitReached) as refusal:
            logger.warning("refused a socket to %s: %s", address, refusal)
            status, headers = (
                (403, [])
                if isinstance(refusal, OriginRefused)
                else (503, [(b"retry-after", b"%d" % RETRY_AFTER_SECONDS)])
            )
            problem = ProblemDetails(status, str(refusal))
            await refuse_websocket(
                scope, receive, send, problem, [*headers, *self.headers]
            )


async def converse(presence: Presence, receive: Receive, send: Send) -> None:
    await receive()
    try:
        await send({"type": "websocket.accept"})
    except GONE:
        return
    try:
        # Expires only when the client does not read.
        async with asyncio.timeout(None) as stalling:
            now = asyncio.get_running_loop().time
            socket = Socket(
                send,
                STALLED_SECONDS,
                cut_off=lambda: stalling.reschedule(now()),
            )
            try:
                with presence.joined(socket):
                    await listen(receive)
            finally:
                await socket.end()
    except TimeoutError:
        await close(send, POLICY_VIOLATION, "You did not read what was sent.")
    except TooManyMessages:
        await close(
            send,
            POLICY_VIOLATION,
            "This socket only sends; it does not accept messages.",
        )
    except Exception:
        await close(
            send, INTERNAL_ERROR, "The site failed. The failure has been logged."
        )
        raise


async def listen(receive: Receive) -> None:
    """Receives until the client disconnects.

    Without a pending receive the server would stop reading, miss the client's pongs and
    disconnect it.
    """
    for _ in range(MAX_MESSAGES + 1):
        if (await receive())["type"] == "websocket.disconnect":
            return
    raise TooManyMessages


async def close(send: Send, code: int, reason: str) -> None:
    """Sends the close frame, which a client that does not read will not receive."""
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            await send({"type": "websocket.close", "code": code, "reason": reason})
    except (TimeoutError, *GONE):
        pass
