"""A connection that carries one exchange at a time, and measures each.

The request is written to the socket at once, and not when the loop's turn ends, so that
`sent` is true and a connection that cannot take a byte is known before one is sent. The
event loop's transport writes only what the socket did not take.
"""

import asyncio
import os
import select
from collections.abc import Callable
from time import perf_counter_ns
from typing import cast

from async_api.load.recording import Outcome
from async_api.load.wire.chunks import Chunks
from async_api.load.wire.head import (
    CHUNKED,
    UNTIL_CLOSE,
    end_of_head,
    read_head,
    require_http,
)
from async_api.load.wire.limits import (
    InvalidResponse,
    ResponseLimits,
    TooLarge,
    body_too_large,
    header_too_large,
)
from async_api.load.wire.request import WireRequest

MAX_INTERIM_RESPONSES = 16
# How much of a large request is given to the transport at a time.
_PIECE_BYTES = 65_536
_HUNG_UP = getattr(select, "POLLRDHUP", 0)
_OVER = _HUNG_UP | select.POLLHUP | select.POLLERR

# What is expected to arrive next.
_NOTHING, _HEAD, _LENGTH, _CHUNKS, _REST = range(5)


class Connection(asyncio.Protocol):
    """Sends requests one after another, and reads their responses within limits.

    ``finished`` is called as an exchange ends, with a response or a failure; its facts
    are valid until the next `send`, which may be called from there. ``closed`` is called
    once, after the last ``finished``. Times are in nanoseconds of
    ``time.perf_counter_ns()``.
    """

    # Python finds attributes more slowly in objects that have more than thirty.
    __slots__ = (
        "_checks",
        "_chunks",
        "_closed",
        "_descriptor",
        "_expected",
        "_finished",
        "_head",
        "_head_only",
        "_interim",
        "_limits",
        "_open",
        "_part",
        "_paused",
        "_poll",
        "_text",
        "_transport",
        "_unsent",
        "_used",
        "ended",
        "failed_check",
        "first_byte",
        "fresh",
        "lost",
        "message",
        "outcome",
        "redirect",
        "sent",
        "server_timing",
        "size",
        "stray",
        "usable",
        "written",
    )

    def __init__(
        self,
        finished: Callable[["Connection"], None],
        closed: Callable[["Connection"], None],
        limits: ResponseLimits,
    ) -> None:
        # Facts of the latest exchange.
        self.sent = 0  # just before its first byte was written
        self.written = 0  # when the transport had taken all of it, or 0
        self.first_byte = 0  # of the response, or 0
        self.ended = 0
        self.outcome = 0  # a status, or an Outcome
        self.size = 0  # bytes of the body received, without the framing of chunks
        self.failed_check = 0
        self.redirect = False
        self.server_timing = ""
        self.message = ""  # of a failure, a sentence
        self.fresh = True  # it is the first on this connection
        # Facts of the connection.
        self.usable = False  # it may carry another request
        self.stray = False  # bytes came that belong to no response
        self.lost = False  # the target closed it between two exchanges
        self._finished = finished
        self._closed = closed
        self._limits = limits
        self._poll = select.poll()
        self._open = False
        self._used = False
        self._paused = False
        self._expected = _NOTHING
        self._part = b""
        self._unsent: memoryview | None = None
        self._text: bytearray | None = None

    def send(self, request: WireRequest) -> bool:
        """Send a request; False, with nothing sent, where the connection is over."""
        if not self.usable or self._transport.is_closing():
            self._give_up()
            return False
        if found := self._poll.poll(0):
            self.stray = not found[0][1] & _OVER
            self._give_up()
            return False
        data = request.data
        self.sent = perf_counter_ns()
        if self._descriptor < 0:
            taken = 0
        else:
            try:
                taken = os.write(self._descriptor, data)
            except BlockingIOError:
                taken = 0
            except OSError:
                self._give_up()
                return False
        self.usable = False
        self._expected = _HEAD
        self.fresh = not self._used
        self._used = True
        self.first_byte = self.size = self._interim = 0
        self._head_only = request.head_only
        self._checks = request.checks
        if taken == len(data):
            self.written = perf_counter_ns()
        else:
            self.written = 0
            self._unsent = memoryview(data)[taken:]
            self._write()
        return True

    def fail(self, outcome: Outcome, message: str) -> None:
        """End the exchange under way, if there is one, as failed, and close."""
        if self._expected:
            self._fail(perf_counter_ns(), outcome, message)
        else:
            self.close()

    def close(self) -> None:
        """Close at once; what is under way ends without being reported."""
        self.usable = False
        self._expected = _NOTHING
        self._part = b""
        self._unsent = self._text = None
        if self._open:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        descriptor = transport.get_extra_info("socket").fileno()
        if transport.get_extra_info("ssl_object") is None:
            self._descriptor = descriptor
            self._transport.set_write_buffer_limits(0)
            # Data between two exchanges would be taken for the next response.
            self._poll.register(descriptor, select.POLLIN | _HUNG_UP)
        else:
            self._descriptor = -1
            self._transport.set_write_buffer_limits(1, 0)
            # TLS sends data of its own between two exchanges.
            self._poll.register(descriptor, _HUNG_UP)
        self._open = self.usable = True

    def data_received(self, data: bytes) -> None:
        now = perf_counter_ns()
        try:
            if self._expected == _HEAD:
                self._read_head(now, data)
            elif self._expected == _CHUNKS:
                self._read_chunks(now, data)
            elif self._expected:
                self._count(now, data)
            elif self.usable:
                self.stray = True
                self.close()
        except InvalidResponse as error:
            self._fail(now, Outcome.INVALID_RESPONSE, str(error))
        except TooLarge as error:
            self._fail(now, Outcome.TOO_LARGE, str(error))

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error)
        self._open = False
        self._closed(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._unsent is not None:
            self._write()

    def _write(self) -> None:
        """Hands the transport as much of the request as it takes without waiting."""
        while self._unsent and not self._paused:
            piece, self._unsent = (
                self._unsent[:_PIECE_BYTES],
                self._unsent[_PIECE_BYTES:],
            )
            self._transport.write(piece)
        if self._unsent is not None and not self._unsent and not self._paused:
            self._unsent = None
            self.written = perf_counter_ns()

    def _read_head(self, now: int, data: bytes) -> None:
        if self._part:
            searched = max(0, len(self._part) - 2)
            data, self._part = self._part + data, b""
            end = end_of_head(data, searched)
        else:
            self.first_byte = now
            end = end_of_head(data)
        if end < 0:
            require_http(data)
            self._part = data
            if len(data) > self._limits.header_bytes:
                raise header_too_large(self._limits)
            return
        if end > self._limits.header_bytes:
            raise header_too_large(self._limits)
        head = self._head = read_head(data[:end])
        following = len(data) - end
        length = head.length
        if head.interim:
            self._interim += 1
            if self._interim > MAX_INTERIM_RESPONSES:
                raise TooLarge(
                    f"The target sent more than {MAX_INTERIM_RESPONSES} interim "
                    "responses before its final one, which is a limit of this site."
                )
            self.first_byte = 0
            if following:
                self._read_head(now, data[end:])
        elif self._head_only or not length:
            self._complete(now, following)
        else:
            if length > self._limits.body_bytes:
                raise body_too_large(self._limits)
            checks = self._checks
            if checks is not None and checks.need_body:
                self._text = bytearray()
            if length == CHUNKED:
                self._chunks = Chunks(self._limits, self._text)
                self._expected = _CHUNKS
                if following:
                    self._read_chunks(now, data[end:])
            elif length == following and self._text is None:
                self.size = length
                self._complete(now, 0)
            else:
                self._expected = _REST if length == UNTIL_CLOSE else _LENGTH
                if following:
                    self._count(now, data[end:])

    def _count(self, now: int, data: bytes) -> None:
        length = self._head.length
        received = self.size + len(data)
        if length == UNTIL_CLOSE:
            if received > self._limits.body_bytes:
                self.size = received
                raise body_too_large(self._limits)
            self.size = received
        else:
            self.size = min(received, length)
        if self._text is not None:
            room = self._limits.searched_bytes - len(self._text)
            self._text += data[: max(0, min(room, len(data) - received + self.size))]
        if length != UNTIL_CLOSE and received >= length:
            self._complete(now, received - length)

    def _read_chunks(self, now: int, data: bytes) -> None:
        following = self._chunks.feed(data)
        self.size = self._chunks.size
        if following >= 0:
            self._complete(now, following)

    def _complete(self, now: int, following: int) -> None:
        """Ends the exchange with its response, which other bytes may follow."""
        head = self._head
        self._expected = _NOTHING
        self.ended = now
        self.outcome = head.status
        self.redirect = head.redirect
        self.server_timing = head.server_timing
        if self._checks is None:
            self.failed_check = 0
        else:
            text, self._text = self._text or b"", None
            self.failed_check = self._checks.first_failed(head, self.size, text)
        if following:
            self.stray = True
        # A response that came before the request was written whole ends the connection.
        if head.persistent and not following and self._unsent is None:
            self.usable = True
        else:
            self.close()
        self._finished(self)

    def _fail(self, now: int, outcome: Outcome, message: str) -> None:
        self.ended = now
        self.outcome = outcome
        self.message = message
        self.failed_check = 0
        self.redirect = False
        self.server_timing = ""
        self.close()
        self._finished(self)

    def _end(self, error: Exception | None) -> None:
        """The target ended the connection, or this side did before."""
        if self._expected == _NOTHING:
            self._give_up()
        elif self._expected == _REST and error is None:
            self._complete(perf_counter_ns(), 0)
        else:
            if self._expected != _HEAD:
                where = "in the middle of the body"
            elif self.first_byte:
                where = "in the middle of the response's header"
            else:
                where = "before its response began"
            verb = "reset" if isinstance(error, ConnectionResetError) else "closed"
            self.fail(
                Outcome.DISCONNECTED, f"The target {verb} the connection {where}."
            )

    def _give_up(self) -> None:
        self.lost = self.lost or (self.usable and not self.stray)
        self.close()
