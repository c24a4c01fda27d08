"""A real server to probe, which answers or misbehaves depending on the path."""

import asyncio
import gzip
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

SECONDS_TO_WAIT = 60  # enough to start a site on a busy machine
TLS_HANDSHAKE = b"\x16"  # the first byte of RFC 8446's record layer


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the server received it."""

    method: str
    target: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {
            name: values[0]
            for name, values in parse_qs(urlsplit(self.target).query).items()
        }


class TargetServer:
    """Listens on a free port of 127.0.0.1, in a thread of its own.

    | path | what happens |
    |---|---|
    | /ok | 200, `ok` |
    | /status/N | status N |
    | /headers | 200, the request's headers as JSON |
    | /gzip | 200, 3,000 bytes, compressed |
    | /redirect?to=URL | 302 to URL |
    | /loop | 302 to /loop |
    | /wait | 200 once `release` is called |
    | /large | a body that never ends |
    | /reset | the connection is reset |
    | /close | the connection is closed without a response |
    | /half | 10 of 100 announced bytes, then closed |
    | /half-chunked | a chunk of the body, then closed |
    | /stall | 10 of 100 announced bytes, then nothing |
    | /bad-chunk | a chunk with an invalid length |
    | /garbage | not HTTP |
    | /zero | status 000 |
    | /mixed | in turn: /ok, /status/503, /reset, /half |
    | /ill | in turn: /ok, /reset, /stall, /half, /half-chunked |
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.open_connections = 0
        self._changed = threading.Condition()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(SECONDS_TO_WAIT)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(SECONDS_TO_WAIT)

    def release(self) -> None:
        """Makes every /wait respond."""
        self._loop.call_soon_threadsafe(self._released.set)

    def wait_until(self, condition: Callable[["TargetServer"], bool]) -> None:
        """Waits until the condition is true; raises TimeoutError if it never is."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), SECONDS_TO_WAIT):
                raise TimeoutError(
                    f"{len(self.asked)} requests, {self.open_connections} connections open"
                )

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._released = asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.port: int = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await server.wait_closed()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        self._count(connections=1)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._count(connections=-1)
            self._handlers.discard(handler)

    def _count(self, *, connections: int) -> None:
        with self._changed:
            self.connections += connections > 0
            self.open_connections += connections
            self._changed.notify_all()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answers one request; returns false if the connection should be closed."""
        first = await reader.readexactly(1)
        if first == TLS_HANDSHAKE:
            await send_garbage(writer)
            return False
        rest = await reader.readuntil(b"\r\n\r\n")
        head = (first + rest).decode("latin-1").splitlines()
        method, target, _ = head[0].split(" ")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        asked = Asked(
            method, target, {name.lower(): value for name, value in headers.items()}
        )
        with self._changed:
            self.asked.append(asked)
            number = len(self.asked)
            self._changed.notify_all()
        path = asked.path
        if path == "/mixed":
            path = ("/ok", "/status/503", "/reset", "/half")[number % 4]
        elif path == "/ill":
            path = ("/ok", "/reset", "/stall", "/half", "/half-chunked")[number % 5]
        misbehave = MISBEHAVIOURS.get(path)
        if misbehave:
            await misbehave(writer)
            return False
        await self._answer(asked, path, reader, writer)
        return True

    async def _answer(
        self,
        asked: Asked,
        path: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        status, body, extra = 200, b"ok", ""
        if path.startswith("/status/"):
            status = int(path.removeprefix("/status/"))
            if status in {204, 304}:
                body = b""
        elif path == "/headers":
            body = json.dumps(asked.headers).encode()
        elif path == "/gzip":
            body, extra = gzip.compress(b"a" * 3000), "Content-Encoding: gzip\r\n"
        elif path == "/redirect":
            status, extra = 302, f"Location: {asked.query['to']}\r\nSet-Cookie: a=b\r\n"
        elif path == "/loop":
            status, extra = 302, "Location: /loop\r\n"
        elif path == "/wait":
            await self._until_released_or_gone(reader)
        phrase = HTTPStatus(status).phrase
        writer.write(
            f"HTTP/1.1 {status} {phrase}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode()
            + (b"" if asked.method == "HEAD" else body)
        )
        await writer.drain()

    async def _until_released_or_gone(self, reader: asyncio.StreamReader) -> None:
        waiting = asyncio.create_task(self._released.wait())
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            leaving.cancel()
            await asyncio.gather(waiting, leaving, return_exceptions=True)
        if not self._released.is_set():
            raise ConnectionResetError


async def send_large(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
        await writer.drain()


async def reset(writer: asyncio.StreamWriter) -> None:
    # Closing with a linger time of 0 sends RST instead of FIN.
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def send_half(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
    await writer.drain()


async def send_half_chunked(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    await writer.drain()


async def stall(writer: asyncio.StreamWriter) -> None:
    await send_half(writer)
    # Until the client disconnects, which ends the task of this connection.
    await writer.wait_closed()


async def send_zero(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok")
    await writer.drain()


async def send_bad_chunk(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n")
    await writer.drain()


async def send_garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"this is not HTTP\r\n\r\n")
    await writer.drain()


MISBEHAVIOURS: dict[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
    "/large": send_large,
    "/reset": reset,
    "/close": close,
    "/half": send_half,
    "/half-chunked": send_half_chunked,
    "/stall": stall,
    "/zero": send_zero,
    "/bad-chunk": send_bad_chunk,
    "/garbage": send_garbage,
}
