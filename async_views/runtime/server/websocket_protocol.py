"""How long may a WebSocket's client take to read, to answer and to go?"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from async_views.runtime.asgi.problem_details import (
    RETRY_AFTER_SECONDS,
    ProblemDetails,
    shortened,
)
from async_views.runtime.asgi.types import Headers
from async_views.runtime.server.http_protocol import STOPPING

logger = logging.getLogger("uvicorn.error.websocket")
# A line for each socket that is opened, and another that it was, would be too many.
logger.setLevel(logging.WARNING)


class BoundedTransport:
    """A transport whose end, and whose buffer, do not depend on whether its client reads.

    To close one of asyncio's waits for the client to read what is still unsent, for ever
    if need be. This one then gives the client ``linger_timeout`` seconds. Meanwhile what
    comes is read and left to the protocol to throw away: closing on unread data resets
    the connection, and the client would lose the close frame before it.

    ``closing`` is called once, before the first close.
    """

    __slots__ = (
        "closing",
        "ending",
        "linger_timeout",
        "loop",
        "reading_paused",
        "transport",
        "writing_paused",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        linger_timeout: float,
        closing: Callable[[], None],
    ) -> None:
        self.transport = transport
        self.loop = loop
        self.linger_timeout = linger_timeout
        self.closing = closing
        self.ending: asyncio.TimerHandle | None = None
        self.reading_paused = False
        self.writing_paused = False

    def write(self, data: bytes) -> None:
        if self.ending is None:
            self.transport.write(data)

    def is_closing(self) -> bool:
        return self.ending is not None or self.transport.is_closing()

    def close(self) -> None:
        if self.is_closing():
            return
        self.end_soon()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._set_reading()
        else:
            self.transport.close()

    def end_soon(self) -> None:
        """Bounds an end that has begun, here or with the client's own."""
        if self.ending is None:
            self.closing()
            self.ending = self.loop.call_later(
                self.linger_timeout, self.transport.abort
            )

    def abort(self) -> None:
        self.transport.abort()

    def pause_reading(self) -> None:
        self.reading_paused = True
        self._set_reading()

    def resume_reading(self) -> None:
        self.reading_paused = False
        self._set_reading()

    def pause_writing(self) -> None:
        # Each ping is answered, so who sends pings and reads no pongs would fill the memory.
        self.writing_paused = True
        self._set_reading()

    def resume_writing(self) -> None:
        self.writing_paused = False
        self._set_reading()

    def connection_lost(self) -> None:
        if self.ending is not None:
            self.ending.cancel()
        # By it, the protocol and its transport would be each other's for ever.
        del self.closing

    def _set_reading(self) -> None:
        if self.ending is None and (self.reading_paused or self.writing_paused):
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


class Handshake(ServerProtocol):
    """The WebSocket protocol itself, which says why it refuses in problem details."""

    def __init__(self, max_size: int | None, error_headers: Headers) -> None:
        # No extensions: what is compressed can be a thousand times larger than it came,
        # and even a socket that is silent would cost 64 KiB.
        super().__init__(max_size=max_size, logger=logger)
        self.error_headers = error_headers

    def accept(self, request: Request) -> Response:
        response = super().accept(request)
        versions = request.headers.get_all("Sec-WebSocket-Version")
        if response.status_code != 400 or versions in ([], ["13"]):
            return response
        # RFC 6455, section 4.4: a client that knows several tries the one named here.
        response = self.reject(
            426,
            f"Sec-WebSocket-Version is {shortened(', '.join(versions))!r}: it should "
            "be 13.",
        )
        response.headers["Sec-WebSocket-Version"] = "13"
        response.headers["Upgrade"] = "websocket"
        return response

    def reject(self, status: int, text: str) -> Response:
        response = super().reject(status, text)
        detail = " ".join(text.split()) or "This WebSocket is not open to you."
        problem = ProblemDetails(response.status_code, detail)
        response.body = problem.document()
        del response.headers["Content-Type"], response.headers["Content-Length"]
        for name, value in (*problem.headers(), *self.error_headers):
            response.headers[name.decode()] = value.decode()
        return response


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol, for clients that cannot be trusted to read or leave.

    A client that reads so little that the application's sends have to wait is cut off
    after ``stall_timeout`` seconds. One that is sent a close frame, for whichever reason,
    has ``linger_timeout`` seconds to read it; then the connection is gone, and the
    application's ``receive`` and ``send`` have said so. uvicorn itself waits for ever.

    When the server stops, each client is sent 1012 (service restart), or 503 where its
    handshake is not complete.

    A message of more than ``max_fragments`` fragments is refused like one that is too
    large (``ws_max_size``): empty ones have no size, and no end. What a client sends
    before its handshake is complete is refused with 400 (RFC 6455, section 4.1).
    ``error_headers`` are added to the refusals given here.
    """

    stall_timeout: ClassVar[float] = 10.0
    linger_timeout: ClassVar[float] = 1.0
    max_fragments: ClassVar[int] = 256
    error_headers: ClassVar[Headers] = ()

    transport: BoundedTransport  # type: ignore[assignment]
    stalling: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger = logger
        self.close_timeout = self.linger_timeout
        self.conn = Handshake(self.config.ws_max_size, self.error_headers)

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self.transport = BoundedTransport(
            transport, self.loop, self.linger_timeout, self._closing
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_stalling()
        self.transport.connection_lost()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        # The transport closes now by itself, once its buffer is empty.
        self.transport.end_soon()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_writing()
        self.stalling = self.loop.call_later(self.stall_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.transport.resume_writing()
        self._stop_stalling()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.handshake_initiated and not self.handshake_complete:
            self._refuse(
                self.conn.reject(400, "Frames came before the handshake was complete.")
            )
            return
        super().data_received(data)
        if not self.handshake_initiated:
            # All of a handshake comes at once, from uvicorn's HTTP protocol. This one is
            # more than the WebSocket protocol takes, and its refusal waits to be sent.
            self._flush_and_close()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < self.max_fragments:
            super().handle_cont(event)
        else:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not is_utf_8(b"".join(self.frames)):
            # uvicorn would log the client's mistake with a traceback.
            self._fail(CloseCode.INVALID_DATA, "the text is not UTF-8")
        else:
            super().send_receive_event_to_app()

    def shutdown(self) -> None:
        self.stop_keepalive()
        if self.transport.is_closing():
            return
        if not self.handshake_complete:
            response = self.conn.reject(STOPPING.status, STOPPING.detail)
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            self._refuse(response)
        elif self.close_sent:
            self.transport.close()
        else:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1012})
            self.conn.send_close(CloseCode.SERVICE_RESTART)
            self._flush_and_close()

    def _refuse(self, response: Response) -> None:
        """Answers a handshake for which the application has no answer yet."""
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self.conn.send_response(response)
        self._flush_and_close()

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _flush_and_close(self) -> None:
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def _closing(self) -> None:
        # Else uvicorn complains of an application that has denied the handshake, that it
        # did not complete it.
        self.handshake_complete = True
        # Also of an application that goes on sending because it does not know yet.
        self.disconnected = True
        self.writable.set()

    def _stop_stalling(self) -> None:
        if self.stalling is not None:
            self.stalling.cancel()
            self.stalling = None


def is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
