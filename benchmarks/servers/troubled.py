"""A target that disturbs every second request, and counts all that it reads."""

import asyncio
import os
import socket
import struct
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import Literal, cast

import uvloop

from benchmarks.servers.target import ANSWER, BACKLOG

Trouble = Literal["reset", "stalled", "half closed"]
# Every other disturbed response begins, so that it ends within its body.
BEGINNING = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
END_OF_REQUEST = b"\r\n\r\n"


def serve(
    announce: Connection, trouble: Trouble, core: int, log: "Synchronized[int]"
) -> None:
    """Counts requests in `log`, and serves until it is killed."""
    os.sched_setaffinity(0, {core})
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    announce.send(listener.getsockname()[1])
    uvloop.run(serve_forever(trouble, log, listener))


async def serve_forever(
    trouble: Trouble, log: "Synchronized[int]", listener: socket.socket
) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Troubled(trouble, log), sock=listener, backlog=BACKLOG
    )
    await server.serve_forever()


class Troubled(asyncio.Protocol):
    """Reads requests without a body, of which a client may send several at once."""

    def __init__(self, trouble: Trouble, log: "Synchronized[int]") -> None:
        self.trouble = trouble
        self.log = log
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while END_OF_REQUEST in self.buffer:
            _, _, self.buffer = self.buffer.partition(END_OF_REQUEST)
            self.log.value += 1
            self.answer(self.log.value)

    def answer(self, number: int) -> None:
        if number % 2:
            self.transport.write(ANSWER)
            return
        if number % 4:
            self.transport.write(BEGINNING)
        if self.trouble == "reset":
            # With no time to linger, the kernel sends RST in place of FIN: socket(7).
            opened = self.transport.get_extra_info("socket")
            opened.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
        elif self.trouble == "half closed":
            self.transport.write_eof()
