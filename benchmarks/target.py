"""What do the clients race against? A server that answers at once, or after a delay."""

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
BACKLOG = 1024  # a burst of new connections must not wait for the kernel's retries
SECONDS_TO_START = 30


@contextmanager
def target(delay_seconds: float, core: int) -> Iterator[str]:
    """The URL of a server in a process and on a core of its own.

    Raises TimeoutError when it does not start.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(
        target=serve, args=(delay_seconds, core, theirs), daemon=True
    )
    process.start()
    try:
        if not ours.poll(SECONDS_TO_START):
            raise TimeoutError("The target did not start.")
        yield f"http://127.0.0.1:{ours.recv()}/"
    finally:
        process.terminate()
        process.join()


def serve(delay_seconds: float, core: int, announce: Connection) -> None:
    """Serves until it is terminated; announces the port."""
    os.sched_setaffinity(0, {core})
    uvloop.run(serve_forever(delay_seconds, announce))


async def serve_forever(delay_seconds: float, announce: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Answering(delay_seconds), "127.0.0.1", 0, backlog=BACKLOG
    )
    announce.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class Answering(asyncio.Protocol):
    """Takes whatever arrives for one request: no client here sends another before."""

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
        # wrk leaves without waiting for its last answers.
        if not self.transport.is_closing():
            self.transport.write(ANSWER)
