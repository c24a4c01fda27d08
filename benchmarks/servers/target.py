"""Minimal servers, against which the clients are compared."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import cast

import uvicorn
import uvloop

from async_views.runtime.asgi.types import Receive, Scope, Send
from benchmarks.servers.announced import announced

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
BACKLOG = 1024  # a burst of new connections must not wait for the kernel's retries


@dataclass(frozen=True, slots=True)
class Target:
    """A bare ASGI function under uvicorn, or a protocol that does not parse requests.

    The first is as fast as a real server can be; the second is as fast as possible.
    """

    under_uvicorn: bool
    delay_seconds: float = 0  # before each response; without uvicorn only


@contextmanager
def running(target: Target, core: int) -> Iterator[str]:
    """The URL of a target that runs in a separate process on `core`.

    Raises TimeoutError if it does not start.
    """
    with announced(serve, target, core) as serving:
        yield serving.url


def serve(announce: Connection, target: Target, core: int) -> None:
    """Sends its port through `announce`, and serves until it is killed."""
    os.sched_setaffinity(0, {core})
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    announce.send(listener.getsockname()[1])
    if target.under_uvicorn:
        config = uvicorn.Config(
            answer, loop="uvloop", http="httptools", lifespan="off", log_config=None
        )
        uvicorn.Server(config).run(sockets=[listener])
    else:
        uvloop.run(serve_forever(target.delay_seconds, listener))


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def serve_forever(delay_seconds: float, listener: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Answering(delay_seconds), sock=listener, backlog=BACKLOG
    )
    await server.serve_forever()


class Answering(asyncio.Protocol):
    """Treats any received data as one request: no client here uses pipelining."""

    def __init__(self, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        if self.delay_seconds:
            self.loop.call_later(self.delay_seconds, self.answer)
        else:
            self.transport.write(ANSWER)

    def answer(self) -> None:
        # wrk closes its connections without waiting for the last responses.
        if not self.transport.is_closing():
            self.transport.write(ANSWER)
