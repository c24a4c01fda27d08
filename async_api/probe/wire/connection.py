"""The probe's connections: aiohttp opens and keeps them, and HTTP on them is read here.

aiohttp's client is made for using responses, not for measuring them. It keeps everything
that a target sends, takes bytes after a response for the next response, and sends some
requests again. So a probe gives aiohttp a protocol that reads and counts within limits,
and a request that writes exactly the bytes it was given. README.md lists the
parts of aiohttp that this relies on.
"""

import asyncio
import functools
import os
import select
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpVersion11, RawResponseMessage, StreamWriter
from aiohttp.streams import EmptyStreamReader
from multidict import CIMultiDict, CIMultiDictProxy

from async_api.outbound.failures import Failure, FailureKind
from async_api.outbound.guard import Guard
from async_api.outbound.targets import Target
from async_api.probe.wire.framing import (
    InvalidResponse,
    Received,
    ResponseLimits,
    ResponseReader,
    TooMuch,
)
from async_api.probe.wire.pace import Pace

USER_AGENT = "async_views probe"
CLOSED_EARLY = "The target closed the connection before its response was complete."
# The first kept connection is watched for this long before it is used again: a target that
# closes unannounced mostly does so at once.
SETTLING_SECONDS = 0.015
# An idle connection is not readable, except for TLS, which sends session tickets.
_TLS_ROUNDS = 4
_READABLE = select.POLLIN | getattr(select, "POLLRDHUP", 0)
_NO_FIELDS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class RequestFailed(aiohttp.ClientError):
    """The request failed; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class NotSent(aiohttp.ClientError):
    """The target closed the connection before any byte of the request was written."""


@dataclass(slots=True)
class Persistence:
    """Whether to keep the connections of one origin (RFC 9112, section 9.3)."""

    reusable: bool = True  # until one is closed or corrupted unannounced
    kept: int = 0  # unused connections that the target promised to keep
    reconnects: int = 0  # requests that replaced a connection that was promised
    strays: int = 0  # responses followed by bytes that belong to no response
    # By the loop's clock; None before the first is kept.
    settles_at: float | None = None

    def keep(self, now: float) -> None:
        self.kept += 1
        if self.settles_at is None:
            self.settles_at = now + SETTLING_SECONDS

    def take(self, *, reused: bool) -> None:
        """Notes that a request is sent, on a kept connection or on a new one."""
        if self.kept:
            self.kept -= 1
            self.reconnects += not reused

    def stray(self) -> None:
        self.strays += 1
        self.reusable = False


class CountedBody(EmptyStreamReader):
    """A body that was counted as it arrived, and discarded."""

    def __init__(self, received: Received) -> None:
        super().__init__()
        self.received = received


class ProbeConnection(ResponseHandler):
    """Sends one request after another, and reads the responses within limits."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pace: Pace, limits: ResponseLimits
    ) -> None:
        super().__init__(loop)
        self._pace = pace
        self._limits = limits
        self._persistence = Persistence()
        self._reader: ResponseReader | None = None
        self._arrived = b""
        self._used = False
        self._encrypted = False
        self._descriptor = -1
        self._poll = select.poll()
        # Required by aiohttp's response, which writes nothing with it.
        self.writer = StreamWriter(self, loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(asyncio.Transport, transport).set_protocol(Receiver(self, self._pace))
        self._encrypted = transport.get_extra_info("ssl_object") is not None
        self._descriptor = transport.get_extra_info("socket").fileno()
        self._poll.register(self._descriptor, _READABLE)

    def set_response_params(self, **parameters: Any) -> None:
        """Does nothing; aiohttp would prepare its own parser."""

    async def send(self, method: str, head: bytes, persistence: Persistence) -> None:
        """Writes a request; raises NotSent if the target closed the connection before."""
        reused = self._used
        if reused and await self._is_over():
            self._close_for_target()
            raise NotSent
        self._persistence = persistence
        transport = self.transport
        if transport is None or transport.is_closing():
            # Another connection may have its descriptor by now.
            raise RequestFailed(Failure(FailureKind.DISCONNECTED, CLOSED_EARLY))
        if self._encrypted:
            transport.write(head)
        else:
            # uvloop's transport writes at the end of the loop's turn. If the target
            # closed by then, it would be unknown whether it received the request.
            try:
                written = os.write(self._descriptor, head)
            except BlockingIOError:
                written = 0
            except OSError:
                if not reused:
                    raise
                self._close_for_target()
                raise NotSent from None
            if written < len(head):
                transport.write(head[written:])
        persistence.take(reused=reused)
        self._reader = ResponseReader(method, self._limits, may_be_stray=reused)

    @property
    def should_close(self) -> bool:
        return bool(
            self._should_close
            or self._reader is not None
            or not self._persistence.reusable
        )

    # What the event loop calls, through the receiver.

    def arrived(self, data: bytes) -> None:
        self._arrived = data
        self._pace.arrived(self)

    def connection_lost(self, error: BaseException | None) -> None:
        self.read_arrived()
        if self._reader is not None:
            received = self._reader.end() if error is None else None
            if received is not None:
                self._deliver(received)
            else:
                self._fail(self._lost(self._reader))
        elif self.transport is not None and self._used:
            # aiohttp drops the transport of a connection that it closes itself.
            self._persistence.reusable = False
        super().connection_lost(error)

    # What the pace calls.

    def pause(self) -> None:
        self._pause_transport_reading()

    def resume(self) -> None:
        self._resume_transport_reading()

    def read_arrived(self) -> bool:
        data, self._arrived = self._arrived, b""
        if not data or self.transport is None:
            return False
        if self._reader is None:
            if self._used:
                self._persistence.stray()
            self.transport.close()
            return False
        try:
            received = self._reader.feed(data)
        except InvalidResponse as error:
            self._fail(Failure(FailureKind.INVALID_RESPONSE, str(error)))
        except TooMuch as error:
            self._fail(Failure(FailureKind.TOO_LARGE, str(error)))
        else:
            if received is None:
                return False
            self._deliver(received)
        return True

    def _deliver(self, received: Received) -> None:
        assert self._reader is not None
        if self._reader.stray:
            self._persistence.stray()
        self._reader = None
        self._used = True
        if received.reusable:
            self._persistence.keep(self._loop.time())
        else:
            self._should_close = True
        message = RawResponseMessage(
            HttpVersion11,
            received.status,
            "",
            _NO_FIELDS,
            (),
            False,
            None,
            False,
            False,
        )
        self.feed_data((message, CountedBody(received)))

    def _fail(self, failure: Failure) -> None:
        self._reader = None
        self.set_exception(RequestFailed(failure))
        if self.transport is not None:
            self.transport.abort()

    def _lost(self, reader: ResponseReader) -> Failure:
        if reader.stray and not reader.begun:
            return Failure(
                FailureKind.INVALID_RESPONSE,
                "The response is not HTTP: it does not begin with HTTP/1.1 or HTTP/1.0.",
            )
        if reader.header_read:
            message = "The connection ended in the middle of the body."
        elif self._used and not reader.begun:
            self._persistence.reusable = False
            message = (
                "The target closed the connection, which it had kept open, while the "
                "request was on its way. It is not sent again, because the target may "
                "have processed it."
            )
        else:
            message = CLOSED_EARLY
        return Failure(FailureKind.DISCONNECTED, message)

    async def _is_over(self) -> bool:
        """Whether the target has closed a kept connection, or sent data on it."""
        for _ in range(_TLS_ROUNDS):
            if self.transport is None or self.transport.is_closing() or self._arrived:
                return True
            if not self._poll.poll(0):
                return False
            if not self._encrypted:
                return True
            # The data may be TLS's own; its transport processes it.
            await asyncio.sleep(0)
        return True

    def _close_for_target(self) -> None:
        self._persistence.reusable = False
        self._should_close = True


class Receiver(asyncio.BufferedProtocol):
    """Limits the size of each read to that of the pace's buffer.

    aiohttp's own protocol takes what the loop gives it: with uvloop, 256 kB per read.
    """

    def __init__(self, connection: ProbeConnection, pace: Pace) -> None:
        self._connection = connection
        self._buffer = pace.buffer

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        self._connection.arrived(bytes(self._buffer[:size]))

    def eof_received(self) -> None:
        self._connection.eof_received()

    def connection_lost(self, error: BaseException | None) -> None:
        self._connection.connection_lost(error)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()


class ProbeRequest(aiohttp.ClientRequest):
    """A request without a body, which writes its target as it was given."""

    prepared: "PreparedRequest"

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        connection = cast(ProbeConnection, conn.protocol)
        await connection.send(
            self.method, self.prepared.head, self.prepared.persistence
        )
        response = self.response_class(
            self.method,
            self.original_url,
            writer=None,
            continue100=None,
            timer=self._timer,
            request_info=self.request_info,
            traces=self._traces,
            loop=self.loop,
            session=self.session,
            stream_writer=connection.writer,
        )
        return response


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """The bytes of a request to one target, and the persistence of its origin."""

    target: Target
    head: bytes
    persistence: Persistence

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """An aiohttp middleware."""
        assert isinstance(request, ProbeRequest)
        request.prepared = self
        return await handler(request)


class ProbeClient:
    """Sends requests over aiohttp, at most as many at a time as it has connections."""

    def __init__(self, session: aiohttp.ClientSession, pace: Pace) -> None:
        self.pace = pace
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._origins: defaultdict[str, Persistence] = defaultdict(Persistence)
        self._prepared: dict[tuple[str, Target], PreparedRequest] = {}

    async def exchange(self, method: str, target: Target) -> Received:
        """Sends one request and reads its whole response.

        The request is sent again, on a new connection, only if the target closed the
        connection before any byte was written. Raises RequestFailed, TargetRefused inside aiohttp's
        errors, and aiohttp's errors of connecting.
        """
        prepared = self._prepare(method, target)
        while True:
            try:
                async with self._session.request(
                    method,
                    target.origin,
                    allow_redirects=False,
                    middlewares=(prepared,),
                ) as response:
                    return cast(CountedBody, response.content).received
            except NotSent:
                continue

    async def settle(self) -> None:
        """Waits until it is clear whether the target keeps connections as promised."""
        for persistence in self._origins.values():
            if persistence.settles_at is not None and persistence.reusable:
                seconds = persistence.settles_at - self._loop.time()
                if seconds > 0:
                    await asyncio.sleep(seconds)

    @property
    def reconnects(self) -> int:
        return sum(each.reconnects for each in self._origins.values())

    @property
    def strays(self) -> int:
        return sum(each.strays for each in self._origins.values())

    def _prepare(self, method: str, target: Target) -> PreparedRequest:
        prepared = self._prepared.get((method, target))
        if prepared is None:
            persistence = self._origins[f"{target.scheme}://{target.authority}"]
            prepared = PreparedRequest(
                target, request_head(method, target), persistence
            )
            # A target may redirect each request to another URL.
            if len(self._prepared) < 100:
                self._prepared[method, target] = prepared
        return prepared


def request_head(method: str, target: Target) -> bytes:
    """The bytes of a request, which has no body."""
    return (
        f"{method} {target.request_target} HTTP/1.1\r\n"
        f"Host: {target.authority}\r\n"
        f"User-Agent: {USER_AGENT}\r\n"
        "Accept: */*\r\n"
        # Sizes are those on the wire, and compressing would take the target time.
        "Accept-Encoding: identity\r\n"
        "\r\n"
    ).encode("ascii")


@asynccontextmanager
async def probe_client(
    guard: Guard, concurrency: int, limits: ResponseLimits
) -> AsyncIterator[ProbeClient]:
    """Opens a client that is configured for measuring."""
    pace = Pace()
    connector = aiohttp.TCPConnector(
        # Waiting for a connection would count as response time.
        limit=concurrency,
        # It has all methods of aiohttp's abstract class.
        resolver=cast(AbstractResolver, guard.resolver),
        # The guard's resolver caches for the whole probe; the connector's cache expires.
        use_dns_cache=False,
        socket_factory=guard.socket_factory,
    )
    loop = asyncio.get_running_loop()
    connector._factory = cast(
        "functools.partial[ResponseHandler]",
        functools.partial(ProbeConnection, loop, pace, limits),
    )
    async with aiohttp.ClientSession(
        connector=connector,
        request_class=ProbeRequest,
        cookie_jar=aiohttp.DummyCookieJar(),
        # WorkerPool.send sets one deadline for a request and its redirects.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        # A proxy would connect in our place, where the guard does not check.
        trust_env=False,
    ) as session:
        yield ProbeClient(session, pace)
