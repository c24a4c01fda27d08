"""How slowly, and how large, may a request arrive?"""

import asyncio
import enum
import sys
from typing import ClassVar

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from async_views.runtime.asgi_types import Headers
from async_views.runtime.flow_control import TimedFlowControl
from async_views.runtime.http_response import Answer
from async_views.runtime.problem_details import (
    RETRY_AFTER_SECONDS,
    ProblemDetails,
)

STOPPING = ProblemDetails(503, "The site is stopping. Try again in a moment.")


class Receiving(enum.Enum):
    """What the connection is waiting to receive."""

    NOTHING = enum.auto()
    HEADERS = enum.auto()
    BODY = enum.auto()
    IGNORED = enum.auto()  # The connection is ending, and what comes is thrown away.


# Python 3.11 looks a member up on its class ten times slower than a global.
NOTHING, HEADERS, BODY, IGNORED = Receiving


class DeadlineHttpProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, for clients that cannot be trusted to send.

    A request's headers are due ``receive_timeout`` seconds after the connection was
    made or, on a connection kept alive, after the request's first byte; its body as
    long after the headers, and a second later for each ``minimum_rate`` bytes of it,
    as in Apache's ``RequestReadTimeout body=10,MinRate=8192``:
    https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html
    The time an application takes, or leaves its body unread, is not the client's.

    A late request is answered 408 where nothing has been answered yet, and headers
    above ``header_limit`` bytes 431. Then, as after any answer that is complete before
    its request, what still comes is thrown away for ``linger_timeout`` seconds: closing
    on unread data resets the connection, and the client would lose the answer
    (RFC 9112, section 9.6). ``error_headers`` are added to the answers given here.
    """

    receive_timeout: ClassVar[float] = 10.0
    minimum_rate: ClassVar[int] = 8 * 1024
    header_limit: ClassVar[int] = 64 * 1024
    linger_timeout: ClassVar[float] = 2.0
    error_headers: ClassVar[Headers] = ()

    flow: TimedFlowControl
    receiving = HEADERS
    fault = ProblemDetails(400, "The request is not valid HTTP.")
    # Bytes of the reads that brought the request, and of the read before them that
    # completed another: this one's first bytes may have been in it.
    received = 0
    carried = 0
    # Only while it is parsed.
    reading = b""
    # Bytes of the body alone, and what had been received when the last of them came.
    body_received = 0
    body_received_at = 0
    # When the headers or the body, whichever is arriving, began on the reading clock.
    # Most are complete in one read: the clock is asked only for those that are not.
    began = 0.0
    began_known = True
    # One timer a connection, armed when a request is seen incomplete and then left to
    # run out: to cancel and arm it for every read would cost more than the read.
    timer: asyncio.TimerHandle | None = None
    running: RequestResponseCycle | None = None
    # Since when the connection has waited for another request, by the loop's clock. As
    # above, its timer is left to run out, and then looks.
    idle_since: float | None = None
    idle_timer: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self.flow = TimedFlowControl(transport)
        self.began = self.flow.reading_seconds()
        self._arm(self.receive_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._disarm_idle()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._disarm()
        self._disarm_idle()
        super().handle_websocket_upgrade()
        # What the client sent behind its handshake is not HTTP, and uvicorn drops it.
        end = sys.exception()
        if isinstance(end, httptools.HttpParserUpgrade):
            if early := self.reading[end.args[0] :]:
                protocol = self.transport.get_protocol()
                assert isinstance(protocol, asyncio.Protocol)
                protocol.data_received(early)
        # It calls this connection, which is its only user, and is done for good.
        self.parser = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self.receiving is NOTHING:
            self.receiving = HEADERS
            self.began_known = False
            self.received = 0
        elif self.receiving is IGNORED:
            return
        elif self._answered_early():
            self._linger()
            return
        self.received += len(data)
        self.reading = data
        super().data_received(data)
        self.reading = b""
        if self.receiving is NOTHING:
            self.carried = len(data)
        elif self.receiving is not IGNORED:
            self._expect_more()

    def on_headers_complete(self) -> None:
        # The first size is a bound at no cost; the second is exact.
        if (
            self.received + self.carried > self.header_limit
            and header_size(self.url, self.headers) > self.header_limit
        ):
            self.fault = self._headers_too_large()
            raise ValueError(self.fault.detail)
        # Last: uvicorn raises for a target it cannot parse, and has no cycle for it then.
        super().on_headers_complete()
        self.receiving = BODY
        self.began_known = False
        self.body_received = 0
        self.body_received_at = self.received

    def on_chunk_header(self) -> None:
        # The parser reports trailers as it does headers, and the list it has filled
        # until now is the application's. In there, a trailer would pass for a header
        # that no proxy in front has seen (RFC 9110, section 6.5.1).
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self.body_received += len(body)
        self.body_received_at = self.received
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.receiving = NOTHING
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # As uvicorn's, but for the timer.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self.idle_since = self.loop.time()
        if self.idle_timer is None:
            self._arm_idle(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        self.idle_since = None

    def send_400_response(self, msg: str) -> None:
        self._refuse(self.fault)

    def cut_off(self) -> None:
        """Ends what is under way because the server stops, 503 where nothing was said.

        The application hears that its client has left, and so can end in order; being
        cancelled instead, as by uvicorn, would surprise it anywhere.
        """
        self.pipeline.clear()
        running = self.running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
            if not running.response_started:
                self._write(STOPPING, (b"retry-after", b"%d" % RETRY_AFTER_SECONDS))
        self.transport.close()

    def _start_asgi_task(
        self, cycle: RequestResponseCycle, app: ASGI3Application
    ) -> None:
        # uvicorn itself only knows the request it read last, which may still wait.
        self.running = cycle
        super()._start_asgi_task(cycle, Answer(app, cycle))

    def _expect_more(self) -> None:
        """Sees to it that what is still missing of the request does come, and ends."""
        if not self.began_known:
            self.began_known = True
            self.began = self.flow.reading_seconds()
            if self.receiving is BODY and self.cycle.waiting_for_100_continue:
                # The client waits for the application to ask for the body, and asking
                # for it resumes reading: until then the clock has to stand still.
                self.flow.pause_reading()
        # In a body, this is what frames its chunks, and its trailers.
        beside_body = self.received - (
            self.body_received_at if self.receiving is BODY else 0
        )
        if beside_body > self.header_limit:
            self._refuse(self._headers_too_large())
        elif self.timer is None:
            self._arm(self.receive_timeout)

    def _answered_early(self) -> bool:
        """Whether what is arriving is the body of a request that has its answer."""
        return self.receiving is BODY and self.cycle.response_complete

    def _headers_too_large(self) -> ProblemDetails:
        return ProblemDetails(
            431,
            "The request's target and header fields, or its trailer fields, are "
            f"larger than {self.header_limit} bytes.",
        )

    def _check_deadline(self) -> None:
        self.timer = None
        if self.receiving is IGNORED or self._answered_early():
            self.transport.close()
        elif self.receiving is NOTHING:
            # The next request that is seen incomplete arms the timer again.
            pass
        elif self.flow.read_paused:
            # The clock stands still: what it leaves would be over again at once.
            self._arm(self.receive_timeout)
        elif (seconds := self._seconds_left()) > 0:
            self._arm(seconds)
        else:
            part = self.receiving.name.lower()
            self._refuse(ProblemDetails(408, f"The request's {part} came too slowly."))

    def _check_idle(self) -> None:
        self.idle_timer = None
        if self.idle_since is None:
            # The next answer arms the timer again.
            return
        seconds = self.idle_since + self.timeout_keep_alive - self.loop.time()
        if seconds > 0:
            self._arm_idle(seconds)
        else:
            self.timeout_keep_alive_handler()

    def _arm_idle(self, seconds: float) -> None:
        self.idle_timer = self.loop.call_later(seconds, self._check_idle)

    def _disarm_idle(self) -> None:
        if self.idle_timer is not None:
            self.idle_timer.cancel()
            self.idle_timer = None

    def _seconds_left(self) -> float:
        allowed = self.receive_timeout
        if self.receiving is BODY:
            allowed += self.body_received / self.minimum_rate
        return self.began + allowed - self.flow.reading_seconds()

    def _refuse(self, problem: ProblemDetails) -> None:
        """Ends a request that is not going to be complete, with an answer if it can."""
        if self.transport.is_closing():
            return
        self.logger.info(
            "Refused %s with %d: %s", self.client, problem.status, problem.detail
        )
        unanswered = self.cycle is not None and not self.cycle.response_complete
        if unanswered and self.receiving is not BODY:
            # What is unanswered is the request before: this answer would pass for its.
            self._disarm()
            self.receiving = IGNORED
            self.cycle.keep_alive = False
        elif unanswered and (self.pipeline or self.cycle.response_started):
            self.transport.abort()
        else:
            if unanswered:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._write(problem)
            self._linger()

    def _write(self, problem: ProblemDetails, *more: tuple[bytes, bytes]) -> None:
        headers = [
            *self.server_state.default_headers,
            *problem.headers(),
            *self.error_headers,
            *more,
            (b"connection", b"close"),
        ]
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(
            b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", problem.document()])
        )

    def _linger(self) -> None:
        """Lets the client read its answer before the connection ends."""
        self.receiving = IGNORED
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._arm(self.linger_timeout)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self.timer = self.loop.call_later(seconds, self._check_deadline)

    def _disarm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def header_size(target: bytes, headers: Headers) -> int:
    """Bytes of a request's target and header fields, each with its ``: `` and end."""
    return len(target) + sum(len(name) + len(value) + 4 for name, value in headers)
