"""Limits on how slowly a request may arrive, and how large it may be."""

import asyncio
import enum
from typing import ClassVar

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from async_views.runtime.asgi.problem_details import (
    RETRY_AFTER_SECONDS,
    ProblemDetails,
)
from async_views.runtime.asgi.types import Headers
from async_views.runtime.server.flow_control import TimedFlowControl
from async_views.runtime.server.http_response import ResponseWriter
from async_views.runtime.server.request_head import (
    AUTHORITY,
    DECISIVE,
    OWS,
    absolute_target,
    declares_body,
    fault_in,
    offers_websocket,
)
from async_views.runtime.waiting.lazy_timer import LazyTimer

STOPPING = ProblemDetails(503, "The site is stopping. Try again in a moment.")
# What a client sent before it could see the end of an idle connection arrives within this.
SECONDS_ON_THE_WAY = 0.5


class Receiving(enum.Enum):
    """What the connection is waiting to receive."""

    NOTHING = enum.auto()
    HEADERS = enum.auto()
    BODY = enum.auto()
    IGNORED = enum.auto()  # The connection is ending; further data is discarded.


# In Python 3.11, looking up an enum member is ten times slower than a global.
NOTHING, HEADERS, BODY, IGNORED = Receiving


class DeadlineHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with time and size limits on requests.

    The headers must arrive within ``receive_timeout`` seconds of the connection or, on a
    connection kept alive, of the request's first byte. The body must arrive within the
    same time after the headers, plus one second for each ``minimum_rate`` bytes of it,
    as in Apache's ``RequestReadTimeout body=10,MinRate=8192``:
    https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html
    Time during which the application does not read the body does not count.

    A late request gets a 408 response if no response has started, and headers larger
    than ``header_limit`` bytes a 431. After that, and after any response that is complete
    before its request, incoming data is discarded for ``linger_timeout`` seconds: closing
    with unread data resets the connection, and the client would lose the response
    (RFC 9112, section 9.6). ``error_headers`` are added to the responses sent here.

    A request that offers to upgrade to anything but a WebSocket is handled as if it had
    not (RFC 9110, section 7.8): its body is read, and so are the requests after it.

    A stopping server ends a connection with a response that says so, or once nothing has
    arrived for ``leaving_timeout`` seconds: a client that sends a request while its idle
    connection is being closed would lose the request.
    """

    receive_timeout: ClassVar[float] = 10.0
    minimum_rate: ClassVar[int] = 8 * 1024
    header_limit: ClassVar[int] = 64 * 1024
    linger_timeout: ClassVar[float] = 2.0
    leaving_timeout: ClassVar[float] = 2.0
    error_headers: ClassVar[Headers] = ()

    flow: TimedFlowControl
    receiving = HEADERS
    fault = ProblemDetails(400, "The request is not valid HTTP.")
    # Bytes of the reads that contained the request, and of the read before them, which
    # completed another request and may have contained the beginning of this one.
    received = 0
    carried = 0
    # The Host and Transfer-Encoding fields of the head that is being parsed.
    decisive: list[tuple[bytes, bytes]]
    # Whether the head just parsed offers an upgrade that this server does not support.
    declines_upgrade = False
    # The response that ends the connection, after the responses to earlier requests.
    last_words: ProblemDetails | None = None
    # Bytes of the body alone, and the value of `received` when the last of them arrived.
    body_received = 0
    body_received_at = 0
    # When the headers or the body began to arrive, by the flow control's clock. Most are
    # complete in one read: the clock is read only for those that are not.
    began = 0.0
    began_known = True
    # For a request that is incomplete, or a connection that lingers. It is not stopped
    # when the request becomes complete, which most requests do in one read.
    timer: LazyTimer
    running: RequestResponseCycle | None = None
    leaving = False
    # For a connection that waits for its next request.
    idle_timer: LazyTimer

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self.flow = TimedFlowControl(transport)
        self.began = self.flow.reading_seconds()
        self.timer = LazyTimer(self.loop, self._check_deadline)
        self.idle_timer = LazyTimer(self.loop, self.timeout_keep_alive_handler)
        self.timer.start(self.receive_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        self.timer.close()
        self.idle_timer.close()
        super().connection_lost(exc)

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
        self._unset_keepalive_if_required()
        self._parse(data)
        if self.receiving is NOTHING:
            self.carried = len(data)
        elif self.receiving is not IGNORED:
            self._expect_more()

    def _parse(self, data: bytes) -> None:
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                self._parse_behind_offer(memoryview(data)[stop.args[0] :])
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self._refuse(self.fault)

    def _parse_behind_offer(self, rest: memoryview) -> None:
        # A memoryview, so that many small requests in one read do not copy it for each.
        while self.declines_upgrade:
            self._parse_without_upgrade()
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as stop:
                rest = rest[stop.args[0] :]
        self._become_websocket(bytes(rest))

    def _parse_without_upgrade(self) -> None:
        """Parses the head again without its offer to upgrade.

        llhttp treats the offer as the end of HTTP and skips the body, which would then be
        parsed as another request, one that no proxy in front has seen.
        """
        self.declines_upgrade = False
        method, target, headers = self.parser.get_method(), self.url, self.headers
        version = self.parser.get_http_version().encode()
        lines = [b"%b: %b\r\n" % field for field in headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(
            b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version, b"".join(lines))
        )

    def _become_websocket(self, early: bytes) -> None:
        """Hands the connection over, with the data that followed the handshake."""
        self.timer.close()
        self.idle_timer.close()
        # The WebSocket protocol needs neither the other protocols that were offered, nor
        # the length of the empty body.
        told = {b"connection", b"upgrade", b"content-length"}
        self.scope["headers"] = [
            *(field for field in self.headers if field[0] not in told),
            (b"connection", b"Upgrade"),
            (b"upgrade", b"websocket"),
        ]
        self.handle_websocket_upgrade()
        if early:
            protocol = self.transport.get_protocol()
            assert isinstance(protocol, asyncio.Protocol)
            protocol.data_received(early)
        # The parser refers to this connection: break the cycle.
        self.parser = None  # type: ignore[assignment]

    def on_url(self, url: bytes) -> None:
        self.url += url
        self.decisive = []

    def on_header(self, name: bytes, value: bytes) -> None:
        # White space after a value is not part of it (RFC 9110, section 5.5).
        field = name.lower(), value.rstrip(OWS)
        self.headers.append(field)
        if field[0] in DECISIVE:
            self.decisive.append(field)
        elif field[0] == b"expect" and field[1].lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        # The first size is an upper bound that costs nothing; the second is exact.
        if (
            self.received + self.carried > self.header_limit
            and header_size(self.url, self.headers) > self.header_limit
        ):
            self._find_fault(self._headers_too_large())
        if self.parser.should_upgrade() or not self._is_plain():
            self._judge()
            if self.parser.should_upgrade():
                return
        # Last: uvicorn raises for a target it cannot parse, and then creates no cycle.
        super().on_headers_complete()
        if self.scope["http_version"] != "1.1":
            self.cycle.waiting_for_100_continue = False
        if self.leaving:
            self.cycle.keep_alive = False
        self.receiving = BODY
        self.began_known = False
        self.body_received = 0
        self.body_received_at = self.received

    def _is_plain(self) -> bool:
        """Whether the head has a path and a valid host, and no transfer coding."""
        if len(self.decisive) != 1 or self.url[:1] != b"/":
            return False
        [(name, value)] = self.decisive
        return name == b"host" and AUTHORITY.fullmatch(value) is not None

    def _judge(self) -> None:
        version, method = self.parser.get_http_version(), self.parser.get_method()
        fault = fault_in(version, method, self.url, self.decisive)
        if fault is not None:
            self._find_fault(fault)
        if self.url[:1] != b"/":
            self._use_absolute_target()
        if self.parser.should_upgrade():
            self.scope["method"] = method.decode("ascii")
            self.declines_upgrade = (
                self.ws_protocol_class is None
                or not offers_websocket(version, self.headers)
            )
            if not self.declines_upgrade:
                self._require_handshake()

    def _find_fault(self, fault: ProblemDetails) -> None:
        """Stops the parser from within a callback; `_parse` then responds."""
        self.fault = fault
        self.scope["method"] = self.parser.get_method().decode("ascii")
        raise ValueError(fault.detail)

    def _use_absolute_target(self) -> None:
        target = absolute_target(self.url)
        assert target is not None
        self.url = target.origin_form
        # It replaces Host (RFC 9112, section 3.2.2).
        fields = [field for field in self.headers if field[0] != b"host"]
        self.headers[:] = [(b"host", target.authority), *fields]

    def _require_handshake(self) -> None:
        """Refuses a handshake that cannot be completed."""
        if declares_body(self.headers):
            self._find_fault(
                ProblemDetails(
                    400,
                    "A WebSocket handshake has no body: it should have neither "
                    "Content-Length nor Transfer-Encoding.",
                )
            )
        if self.leaving:
            self._find_fault(STOPPING)
        if self._is_unanswered():
            self._find_fault(
                ProblemDetails(
                    400,
                    "A WebSocket handshake should be sent after the responses to all "
                    "earlier requests, or on its own connection.",
                )
            )

    def _is_unanswered(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def on_chunk_header(self) -> None:
        # The parser reports trailers as it does headers, but the application has the list
        # of the headers. A trailer in it would pass for a header that no proxy in front
        # has seen (RFC 9110, section 6.5.1).
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self.body_received += len(body)
        self.body_received_at = self.received
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.declines_upgrade:
            return
        self.receiving = NOTHING
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # As uvicorn's, with another timer.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        if self.last_words is not None:
            self._write(self.last_words)
            self._linger()
            return
        self.idle_timer.start(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        self.idle_timer.stop()

    def _should_upgrade(self) -> bool:
        # Asked of heads that offer an upgrade alone, and those that are declined are
        # parsed again without.
        return True

    def shutdown(self) -> None:
        if self.leaving:
            return
        self.leaving = True
        self.timeout_keep_alive = min(  # type: ignore[assignment]
            self.timeout_keep_alive, self.leaving_timeout
        )
        if self._is_unanswered() and not self.cycle.response_started:
            self.cycle.keep_alive = False
        self.loop.call_later(self.leaving_timeout, self._leave)

    def _leave(self) -> None:
        """Ends a connection without a response under way that would end it."""
        if self.transport.is_closing() or self._is_unanswered():
            return
        if self.receiving is HEADERS and self.received:
            self._write(STOPPING)
            self._linger(min(self.linger_timeout, SECONDS_ON_THE_WAY))
        elif self.receiving is not IGNORED:
            self.timeout_keep_alive_handler()

    def timeout_keep_alive_handler(self) -> None:
        self.idle_timer.stop()
        # Two turns later, because the loop runs timers before it reads what has arrived.
        self.loop.call_soon(self.loop.call_soon, self._close_idle)

    def _is_busy(self) -> bool:
        """Whether a request is under way, even if little of it has arrived."""
        return self._is_unanswered() or (
            self.receiving is not NOTHING and bool(self.received)
        )

    def _close_idle(self) -> None:
        # If it was started again, a request was answered meanwhile.
        if self.transport.is_closing() or self.idle_timer.is_started or self._is_busy():
            return
        # The client may be sending a request: it sees the connection end, not a reset.
        self._linger(min(self.linger_timeout, SECONDS_ON_THE_WAY))

    def cut_off(self) -> None:
        """Ends the request under way because the server stops, with 503 if it can.

        The application gets a disconnect, and so can end in order; uvicorn would cancel
        it, at any point.
        """
        self.pipeline.clear()
        running = self.running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
            if not running.response_started:
                self._write(STOPPING)
        self.transport.close()

    def _start_asgi_task(
        self, cycle: RequestResponseCycle, app: ASGI3Application
    ) -> None:
        # uvicorn only keeps the request it read last, which may still be waiting.
        self.running = cycle
        super()._start_asgi_task(cycle, ResponseWriter(app, cycle))

    def _expect_more(self) -> None:
        """Limits the time and the size of the rest of the request."""
        if not self.began_known:
            self.began_known = True
            self.began = self.flow.reading_seconds()
            if self.receiving is BODY and self.cycle.waiting_for_100_continue:
                # The client waits for 100 Continue, which the application causes by
                # reading the body; that resumes reading. Until then the clock must stop.
                self.flow.pause_reading()
        # In a body, these are the chunk headers and trailers.
        beside_body = self.received - (
            self.body_received_at if self.receiving is BODY else 0
        )
        if beside_body > self.header_limit:
            self._refuse(self._headers_too_large())
        elif not self.timer.is_started:
            self.timer.start(self.receive_timeout)

    def _answered_early(self) -> bool:
        """Whether the response is complete and the request's body is still arriving."""
        return self.receiving is BODY and self.cycle.response_complete

    def _headers_too_large(self) -> ProblemDetails:
        return ProblemDetails(
            431,
            "The request's target and header fields, or its trailer fields, are "
            f"larger than {self.header_limit} bytes.",
        )

    def _check_deadline(self) -> None:
        if self.receiving is IGNORED or self._answered_early():
            self.transport.close()
        elif self.receiving is NOTHING:
            # The next incomplete request starts the timer again.
            pass
        elif self.flow.read_paused:
            # The clock has stopped, so the rest of the time cannot be computed.
            self.timer.start(self.receive_timeout)
        elif (seconds := self._seconds_left()) > 0:
            self.timer.start(seconds)
        else:
            part = self.receiving.name.lower()
            self._refuse(ProblemDetails(408, f"The request's {part} came too slowly."))

    def _seconds_left(self) -> float:
        allowed = self.receive_timeout
        if self.receiving is BODY:
            allowed += self.body_received / self.minimum_rate
        return self.began + allowed - self.flow.reading_seconds()

    def _refuse(self, problem: ProblemDetails) -> None:
        """Ends a request that will not be complete, with a response if possible."""
        if self.transport.is_closing():
            return
        self.logger.info(
            "Refused %s with %d: %s", self.client, problem.status, problem.detail
        )
        unanswered = self._is_unanswered()
        if unanswered and self.receiving is not BODY:
            # An earlier request has no response yet: this one would pass for it.
            self.timer.stop()
            self.receiving = IGNORED
            self.last_words = problem
        elif unanswered and (self.pipeline or self.cycle.response_started):
            self.transport.abort()
        else:
            if unanswered:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._write(problem)
            self._linger()

    def _write(self, problem: ProblemDetails) -> None:
        headers = [
            *self.server_state.default_headers,
            *problem.headers(),
            *self.error_headers,
            (b"connection", b"close"),
        ]
        if problem.status == 503:
            headers.append((b"retry-after", b"%d" % RETRY_AFTER_SECONDS))
        lines = [b"%s: %s\r\n" % header for header in headers]
        is_head = self.scope is not None and self.scope.get("method") == "HEAD"
        body = b"" if is_head else problem.document()
        self.transport.write(
            b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body])
        )

    def _linger(self, seconds: float | None = None) -> None:
        """Lets the client read its response before the connection is closed."""
        self.receiving = IGNORED
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.timer.start(self.linger_timeout if seconds is None else seconds)


def header_size(target: bytes, headers: Headers) -> int:
    """Bytes of a request's target and header fields, with ``: `` and line ends."""
    return len(target) + sum(len(name) + len(value) + 4 for name, value in headers)
