"""Limits on how long a WebSocket client may take to read, to respond and to leave."""

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
# uvicorn logs several lines for each socket.
logger.setLevel(logging.WARNING)


class BoundedTransport:
    """A transport that closes, and bounds its buffer, even if the client does not read.

    Closing an asyncio transport waits without limit for the client to read what is still
    unsent. This one waits ``linger_timeout`` seconds. Meanwhile incoming data is read, and
    the protocol discards it: closing with unread data resets the connection, and the
    client would lose the close frame.

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
        """Bounds a close that has begun, on either side."""
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
        # Each ping is answered: a client that sends pings and reads no pongs would fill
        # the memory.
        self.writing_paused = True
        self._set_reading()

    def resume_writing(self) -> None:
        self.writing_paused = False
        self._set_reading()

    def connection_lost(self) -> None:
        if self.ending is not None:
            self.ending.cancel()
        # Break the reference cycle between the protocol and its transport.
        del self.closing

    def _set_reading(self) -> None:
        if self.ending is None and (self.reading_paused or self.writing_paused):
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


class Handshake(ServerProtocol):
    """The WebSocket protocol, with problem details in refused handshakes."""

    def __init__(self, max_size: int | None, error_headers: Headers) -> None:
        # No extensions: a compressed message can expand a thousandfold, and even an idle
        # socket would cost 64 KiB.
        super().__init__(max_size=max_size, logger=logger)
        self.error_headers = error_headers

    def accept(self, request: Request) -> Response:
        response = super().accept(request)
        versions = request.headers.get_all("Sec-WebSocket-Version")
        if response.status_code != 400 or versions in ([], ["13"]):
            return response
        # RFC 6455, section 4.4: a client that supports several tries the one named here.
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
        detail = " ".join(text.split()) or "This WebSocket is refused."
        problem = ProblemDetails(response.status_code, detail)
        response.body = problem.document()
        del response.headers["Content-Type"], response.headers["Content-Length"]
        for name, value in (*problem.headers(), *self.error_headers):
            response.headers[name.decode()] = value.decode()
        return response


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with limits for clients that do not read or leave.

    A client that makes the application's sends wait, because it does not read, is
    disconnected after ``stall_timeout`` seconds. After a close frame, for whatever reason,
    the client has ``linger_timeout`` seconds to read it; then the connection is closed, and
    the application's ``receive`` and ``send`` report it. uvicorn waits without limit.

    When the server stops, each client gets close code 1012 (service restart), or a 503
    response if its handshake is not complete.

    A message of more than ``max_fragments`` fragments is refused like one that is too
    large (``ws_max_size``): fragments can be empty, so their size alone sets no limit.
    Data before the handshake is complete is refused with 400 (RFC 6455, section 4.1).
    ``error_headers`` are added to the refusals sent here.
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
        # The transport now closes by itself, once its buffer is empty.
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
            # uvicorn's HTTP protocol passes a handshake on in one piece. This one is larger
            # than the WebSocket protocol accepts, and its refusal has yet to be sent.
            self._flush_and_close()

    def schedule_ping(self) -> None:
        # At a moment that many sockets share, up to a 32nd of the interval early: the loop
        # wakes up once for all of them, which halves what an idle socket costs.
        assert self.ping_interval is not None
        due = self.loop.time() + self.ping_interval
        shared = due - due % (self.ping_interval / 32)
        self.ping_timer = self.loop.call_at(shared, self.send_keepalive_ping)

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < self.max_fragments:
            super().handle_cont(event)
        else:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not is_utf_8(b"".join(self.frames)):
            # uvicorn would log a traceback for the client's mistake.
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
        """Refuses a handshake that the application has not answered yet."""
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
        # Otherwise uvicorn logs that an application which denied the handshake did not
        # complete it.
        self.handshake_complete = True
        # And an application that does not know yet may go on sending.
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
