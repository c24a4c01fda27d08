"""Thousands of WebSocket clients, which record when they receive each count.

The clients speak WebSocket over raw TCP, in separate processes, to use little of the CPU
that they share with the server. All times are from the machine's monotonic clock.
"""

import asyncio
import math
import multiprocessing
import random
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

HANDSHAKE = (
    "GET /counter HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# Each address has about 28,000 ephemeral ports.
ADDRESSES = tuple(f"127.0.0.{last}" for last in (2, 3, 4, 5))
AT_ONCE = 100
SECONDS_TO_JOIN = 60
CHURNS_A_SECOND = 5  # of each process: with more, the crowd would never settle
SECONDS_TO_ANSWER = 1_000
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
# A mask of zeros leaves the payload unchanged (RFC 6455, section 5.3).
UNMASKED = b"\x00\x00\x00\x00"
GOODBYE = b"\x88\x82" + UNMASKED + (1000).to_bytes(2)


class Client(asyncio.Protocol):
    """One socket: the last count it received, when its frames arrived, and its close code."""

    def __init__(self, members: "Members") -> None:
        self.members = members
        self.handshake_done = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.number: int | None = None
        self.frames: list[float] = []
        self.code: int | None = None
        self.is_leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport does not inherit from asyncio.Transport.
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.members.handshake)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.handshake_done.done():
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self.handshake_done.set_exception(
                    OSError(head.split(b"\r\n")[0].decode())
                )
                self.transport.close()
                return
            self.buffer = rest
            self.members.opened(self)
            self.handshake_done.set_result(None)
        while len(self.buffer) >= 2 and len(self.buffer) >= 2 + self.buffer[1]:
            # The server's frames are unmasked and have at most 125 bytes.
            opcode, end_of_frame = self.buffer[0] & 0x0F, 2 + self.buffer[1]
            payload, self.buffer = (
                self.buffer[2:end_of_frame],
                self.buffer[end_of_frame:],
            )
            self.frame(opcode, payload)

    def frame(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self.frames.append(time.monotonic())
            before, self.number = self.number, int(payload)
            self.members.received(self, before)
        elif opcode == PING:
            self.transport.write(
                bytes((0x80 | PONG, 0x80 | len(payload))) + UNMASKED + payload
            )
        elif opcode == CLOSE:
            self.code = int.from_bytes(payload[:2]) if payload else 1005
            self.transport.write(GOODBYE)
            self.transport.close()

    def leave(self) -> None:
        self.is_leaving = True
        self.transport.write(GOODBYE)
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.handshake_done.done():
            self.handshake_done.set_exception(
                error or OSError("closed before the handshake")
            )
        self.members.lost(self)


class Members:
    """The clients of one process. A `Crowd` calls its methods by name, through a pipe."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.server = address.hostname, address.port
        self.handshake = HANDSHAKE.format(host=address.netloc).encode()
        self.clients: dict[Client, None] = {}
        self.stalled: dict[Client, None] = {}
        self.ended: list[Client] = []
        self.showing: Counter[int | None] = Counter()
        self.changed = asyncio.Event()

    # --- Called by clients ---

    def opened(self, client: Client) -> None:
        self.clients[client] = None
        self.showing[None] += 1

    def received(self, client: Client, before: int | None) -> None:
        if client in self.clients:
            self.showing[before] -= 1
            self.showing[client.number] += 1
            self.changed.set()

    def lost(self, client: Client) -> None:
        if client in self.clients:
            del self.clients[client]
            self.showing[client.number] -= 1
        self.stalled.pop(client, None)
        self.ended.append(client)
        self.changed.set()

    # --- Called by `Crowd` ---

    async def join(self, count: int, seconds: float) -> float:
        """Opens `count` sockets over `seconds`; returns the time of the last handshake."""
        room, began = asyncio.Semaphore(AT_ONCE), time.monotonic()

        async def connect(number: int) -> None:
            await asyncio.sleep(began + number * seconds / count - time.monotonic())
            async with room:
                with socket.socket() as bound:
                    bound.setsockopt(
                        socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1
                    )
                    bound.bind((ADDRESSES[number % len(ADDRESSES)], 0))
                    bound.setblocking(False)
                    loop = asyncio.get_running_loop()
                    await loop.sock_connect(bound, self.server)
                    _, client = await loop.create_connection(
                        lambda: Client(self), sock=bound.dup()
                    )
                    await client.handshake_done

        async with asyncio.timeout(seconds + SECONDS_TO_JOIN):
            await asyncio.gather(*(connect(number) for number in range(count)))
        return time.monotonic()

    async def leave(self, count: int) -> float:
        left = list(self.clients)[:count]
        for client in left:
            client.leave()
        await self.until(lambda: not any(each in self.clients for each in left), 60)
        return time.monotonic()

    async def agreed(self, number: int, seconds: float) -> float:
        """The time when all clients had `number` as their last count; inf after `seconds`."""
        return await self.until(
            lambda: self.showing[number] == len(self.clients), seconds
        )

    async def until(self, condition: Callable[[], bool], seconds: float) -> float:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return math.inf
        return time.monotonic()

    async def stall(self, count: int) -> None:
        """Makes `count` clients stop reading; their counts are no longer considered."""
        for client in list(self.clients)[:count]:
            client.transport.pause_reading()
            del self.clients[client]
            self.showing[client.number] -= 1
            self.stalled[client] = None

    async def busiest(self) -> int:
        """The largest number of frames that a client received within one second."""
        return max(
            (most_in_a_second(client.frames) for client in self.clients), default=0
        )

    async def frames(self) -> int:
        return sum(len(client.frames) for client in (*self.clients, *self.ended))

    async def open(self) -> int:
        return len(self.clients)

    async def codes(self, seconds: float) -> dict[int | None, int]:
        """The close codes of all sockets that the server closed, once all are closed."""
        await self.until(lambda: not self.clients, seconds)
        return Counter(each.code for each in self.ended if not each.is_leaving)

    async def churn(self, seconds: float, most: int) -> int:
        """Makes clients join and leave at random for `seconds`; returns how many did.

        Ends with half of `most` clients.
        """
        until, turns = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            await asyncio.sleep(random.expovariate(CHURNS_A_SECOND))
            count = random.randint(1, max(1, most // 10))
            if len(self.clients) + count > most or random.random() < 0.5:
                count = -min(count, len(self.clients))
            turns += await self.become(len(self.clients) + count)
        return turns + await self.become(most // 2)

    async def become(self, number: int) -> int:
        """Makes clients join or leave until there are `number`; returns how many did."""
        missing = number - len(self.clients)
        if missing > 0:
            await self.join(missing, 0)
        else:
            await self.leave(-missing)
        # The frames of an hour would fill the memory.
        self.ended.clear()
        return abs(missing)


def most_in_a_second(times: Sequence[float]) -> int:
    window: deque[float] = deque()
    most = 0
    for moment in times:
        window.append(moment)
        while window[0] <= moment - 1:
            window.popleft()
        most = max(most, len(window))
    return most


@dataclass(frozen=True, slots=True)
class Crowd:
    """Client processes that are called together."""

    pipes: Sequence[Connection]

    def call(self, method: str, *arguments: Any) -> list[Any]:
        """Calls a method of `Members` in each process; raises an exception from there."""
        for pipe in self.pipes:
            pipe.send((method, arguments))
        answers = []
        for pipe in self.pipes:
            if not pipe.poll(SECONDS_TO_ANSWER):
                raise TimeoutError(f"The crowd does not answer {method!r}.")
            answers.append(pipe.recv())
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def join(self, count: int, seconds: float = 0) -> float:
        """Opens `count` sockets in total; returns the time of the last handshake."""
        return float(max(self.call("join", count // len(self.pipes), seconds)))

    def agreed(self, number: int, seconds: float) -> float:
        return float(max(self.call("agreed", number, seconds)))

    def only(self, number: int) -> "Crowd":
        """A crowd of one of the processes."""
        return Crowd([self.pipes[number]])


@contextmanager
def crowd(url: str, processes: int = 2) -> Iterator[Crowd]:
    """Clients of a server. At the end of the block they are killed, without a close frame."""
    context = multiprocessing.get_context("spawn")
    pipes, running = [], []
    for _ in range(processes):
        ours, theirs = context.Pipe()
        process = context.Process(target=run, args=(url, theirs), daemon=True)
        process.start()
        pipes.append(ours)
        running.append(process)
    try:
        yield Crowd(pipes)
    finally:
        for process in running:
            process.kill()
            process.join()


def run(url: str, pipe: Connection) -> None:
    uvloop.run(answer(url, pipe))


async def answer(url: str, pipe: Connection) -> None:
    """Executes calls one after another, while the clients run."""
    members, readable = Members(url), asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), readable.set)
    while True:
        await readable.wait()
        readable.clear()
        while pipe.poll():
            method, arguments = pipe.recv()
            try:
                pipe.send(await getattr(members, method)(*arguments))
            except Exception as error:
                pipe.send(error)
