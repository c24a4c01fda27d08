"""Every writable socket gets the newest number, and no socket delays another."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from async_api.online import broadcast
from async_api.online.broadcast import SOCKETS_AT_ONCE, Broadcast, Socket
from async_views.runtime.asgi.types import Message

# Too short to slow a test down, and too long to expire in one.
SOON, NEVER = 0.01, 3600.0


class Client:
    """Receives what is sent while it reads."""

    def __init__(self, stalled_seconds: float = NEVER) -> None:
        self.heard: list[str] = []
        self.times: list[float] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.error: Exception | None = None
        self.was_cut_off = asyncio.Event()
        self.at_once = 0
        self.socket = Socket(self.take, stalled_seconds, self.was_cut_off.set)

    async def take(self, message: Message) -> None:
        """Waits before it writes, and only while the client stalls, as uvicorn does."""
        assert self.at_once == 0, "two tasks write to one socket"
        self.at_once += 1
        try:
            await self.reads.wait()
        finally:
            self.at_once -= 1
        if self.error is not None:
            raise self.error
        assert message["type"] == "websocket.send"
        self.heard.append(message["text"])
        self.times.append(time.monotonic())

    async def has_heard(self, number: int) -> None:
        async with asyncio.timeout(5):
            while self.heard[-1:] != [str(number)]:
                await asyncio.sleep(0)


@pytest.fixture
async def run() -> AsyncIterator[Callable[[Broadcast], None]]:
    """Runs a broadcast until the test ends."""
    tasks: list[asyncio.Task[None]] = []
    yield lambda shown: tasks.append(asyncio.create_task(shown.keep()))
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_socket_that_joins_gets_the_number_at_once_and_only_once() -> None:
    shown, client = Broadcast(SOON, NEVER), Client()
    shown.show(7)

    shown.add(client.socket)
    shown.add(client.socket)

    assert client.heard == ["7"]


async def test_each_change_is_sent_to_all_sockets(
    run: Callable[[Broadcast], None],
) -> None:
    shown, clients = Broadcast(SOON, NEVER), [Client(), Client()]
    for client in clients:
        shown.add(client.socket)
    run(shown)

    for number in (1, 2, 1):
        shown.show(number)
        for client in clients:
            await client.has_heard(number)

    assert [client.heard for client in clients] == [["0", "1", "2", "1"]] * 2


async def test_an_unchanged_number_is_not_sent_again(
    run: Callable[[Broadcast], None],
) -> None:
    shown, client = Broadcast(SOON, NEVER), Client()
    shown.add(client.socket)
    run(shown)

    shown.show(1)
    await client.has_heard(1)
    shown.show(1)
    shown.show(2)
    await client.has_heard(2)

    assert client.heard == ["0", "1", "2"]


async def test_many_changes_are_few_frames_and_the_last_has_the_newest_number(
    run: Callable[[Broadcast], None],
) -> None:
    shown, client = Broadcast(0.05, NEVER), Client()
    shown.add(client.socket)
    run(shown)

    began = time.monotonic()
    for number in range(1, 200):
        shown.show(number)
        await asyncio.sleep(0.001)
    await client.has_heard(199)

    assert len(client.heard) - 2 <= (client.times[-1] - began) / 0.05
    gaps = [b - a for a, b in zip(client.times[1:], client.times[2:], strict=False)]
    assert min(gaps) >= 0.045


async def test_a_stalled_client_delays_no_other_and_gets_only_the_newest_number(
    run: Callable[[Broadcast], None],
) -> None:
    shown, stalling, other = Broadcast(SOON, NEVER), Client(), Client()
    for client in (stalling, other):
        shown.add(client.socket)
    run(shown)
    stalling.reads.clear()
    for number in (1, 2, 3):
        shown.show(number)
        await other.has_heard(number)

    stalling.reads.set()
    await stalling.has_heard(3)

    # The 1 was already being sent.
    assert stalling.heard == ["0", "1", "3"]
    assert not stalling.was_cut_off.is_set()


async def test_a_client_that_stalls_for_too_long_is_disconnected(
    run: Callable[[Broadcast], None],
) -> None:
    shown, client = Broadcast(SOON, NEVER), Client(stalled_seconds=0.05)
    shown.add(client.socket)
    run(shown)
    client.reads.clear()
    began = time.monotonic()
    shown.show(1)

    async with asyncio.timeout(5):
        await client.was_cut_off.wait()

    assert time.monotonic() - began >= 0.05
    client.reads.set()
    shown.show(2)
    await asyncio.sleep(5 * SOON)
    assert client.heard == ["0"]


async def test_a_client_that_reads_needs_no_task() -> None:
    shown, clients = Broadcast(SOON, NEVER), [Client() for _ in range(10)]
    before = len(asyncio.all_tasks())

    for client in clients:
        shown.add(client.socket)

    assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize("error", [ConnectionResetError(), RuntimeError("closing")])
@pytest.mark.parametrize("stalls", [False, True])
async def test_a_client_that_has_left_affects_no_other(
    run: Callable[[Broadcast], None], error: Exception, stalls: bool
) -> None:
    shown, leaving, other = Broadcast(SOON, NEVER), Client(), Client()
    for client in (leaving, other):
        shown.add(client.socket)
    run(shown)
    leaving.error = error
    if stalls:
        leaving.reads.clear()

    shown.show(1)
    await other.has_heard(1)
    leaving.reads.set()
    shown.show(2)
    await other.has_heard(2)

    assert leaving.heard == ["0"]


async def test_a_discarded_socket_gets_nothing_more(
    run: Callable[[Broadcast], None],
) -> None:
    shown, left, other = Broadcast(SOON, NEVER), Client(), Client()
    for client in (left, other):
        shown.add(client.socket)
    run(shown)

    shown.discard(left.socket)
    shown.discard(left.socket)
    shown.show(1)
    await other.has_heard(1)

    assert left.heard == ["0"]


async def test_a_closed_socket_writes_no_more() -> None:
    client = Client()
    client.reads.clear()
    client.socket.show(1)

    await client.socket.end()
    client.reads.set()
    await asyncio.sleep(0)

    assert client.heard == []
    assert client.at_once == 0


async def test_the_number_is_repeated_after_a_silence(
    run: Callable[[Broadcast], None],
) -> None:
    shown, client = Broadcast(SOON, 0.05), Client()
    shown.add(client.socket)
    run(shown)

    async with asyncio.timeout(5):
        while len(client.heard) < 3:
            await asyncio.sleep(0)

    assert client.heard == ["0", "0", "0"]
    assert client.times[2] - client.times[1] >= 0.05


async def test_a_large_broadcast_is_sent_in_parts_and_other_tasks_run_between_them(
    run: Callable[[Broadcast], None],
) -> None:
    shown = Broadcast(SOON, NEVER)
    clients = [Client() for _ in range(4 * SOCKETS_AT_ONCE)]
    for client in clients:
        shown.add(client.socket)
    run(shown)
    shown.show(1)
    most, before = 0, 0

    while before < len(clients):
        await asyncio.sleep(0)
        heard = sum(client.heard[-1] == "1" for client in clients)
        most, before = max(most, heard - before), heard

    assert most == SOCKETS_AT_ONCE


async def test_a_socket_that_leaves_during_a_broadcast_is_not_written_to(
    run: Callable[[Broadcast], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "SOCKETS_AT_ONCE", 1)
    shown, clients = Broadcast(SOON, NEVER), [Client() for _ in range(3)]
    for client in clients:
        shown.add(client.socket)
    run(shown)
    shown.show(1)
    while not any(client.heard == ["0", "1"] for client in clients):
        await asyncio.sleep(0)

    left = [client for client in clients if client.heard == ["0"]]
    for client in left:
        shown.discard(client.socket)
    await asyncio.sleep(3 * SOON)

    assert left
    assert all(client.heard == ["0"] for client in left)
