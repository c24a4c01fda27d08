"""A client of the socket receives numbers, and a client that misuses it is closed."""

import asyncio
import json
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_django import Settings
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from async_api.online.conversation import Conversation
from async_api.online.presence import Presence, presence
from async_views.runtime.asgi.lifespan import Lifespan
from async_views.runtime.asgi.routing import ProtocolRouter, WebSocketRoutes
from async_views.runtime.asgi.types import Application, Message, Receive, Scope, Send
from async_views.runtime.postgres import bus, database
from tests.async_api.online.listeners import Crowd, crowd
from tests.support.servers import Served, serve_asgi

pytestmark = pytest.mark.usefixtures("connection")


@pytest.fixture(autouse=True)
def site(settings: Settings) -> Settings:
    settings.ONLINE_WITHOUT_ORIGIN = True
    settings.ONLINE_SOCKETS_OF_AN_ADDRESS = 0
    return settings


async def no_http(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("Nobody asks over HTTP here.")


@contextmanager
def serving(
    conversation: Application | None = None, **options: Any
) -> Iterator[Served]:
    """One worker that serves only the socket."""
    conversation = conversation or Conversation(headers=[(b"x-test", b"yes")])
    application = ProtocolRouter(
        http=no_http,
        websocket=WebSocketRoutes({"/counter": conversation}),
        lifespan=Lifespan(
            {
                "database": lambda state: database.pool(),
                "bus": lambda state: bus.bus(),
                "online": lambda state: presence(state["database"], state["bus"]),
            }
        ),
    )
    with serve_asgi(application, lifespan="on", **options) as served:
        yield served


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
async def everybody(served: Served) -> AsyncIterator[Crowd]:
    async with crowd(served.url) as everybody:
        yield everybody


async def refusal(served: Served, **options: Any) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{served.host}:{served.port}/counter", **options):
            pass
    return refused.value


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message for record in caplog.records if record.levelno >= logging.WARNING
    ]


async def test_a_new_client_receives_the_number_and_then_each_change(
    everybody: Crowd,
) -> None:
    [first] = await everybody.join()
    await everybody.agree(1)
    [second] = await everybody.join()
    await everybody.agree(2)
    await everybody.leave([second])
    await everybody.agree(1)

    assert first.numbers == [1, 2, 1]
    assert second.numbers == [2]


async def test_a_frame_is_text_with_only_the_number(served: Served) -> None:
    async with connect(f"ws://{served.host}:{served.port}/counter") as client:
        assert await client.recv() == "1"


async def test_many_clients_that_connect_at_once_are_all_counted(
    everybody: Crowd,
) -> None:
    await asyncio.gather(*(everybody.join(10) for _ in range(10)))

    await everybody.agree(100)


async def test_a_client_that_vanishes_without_a_close_frame_is_no_longer_counted(
    everybody: Crowd,
) -> None:
    await everybody.join(2)
    [vanishing] = await everybody.join()
    await everybody.agree(3)

    everybody.listeners.remove(vanishing)
    vanishing.socket.transport.abort()

    await everybody.agree(2)


async def test_a_few_messages_are_ignored_and_too_many_close_the_socket(
    everybody: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("async_api.online.conversation.MAX_MESSAGES", 3)
    [listener, talker] = await everybody.join(2)
    await everybody.agree(2)
    for message in ("a", b"b", "c"):
        await talker.socket.send(message)
    await everybody.join()
    await everybody.agree(3)

    await talker.socket.send("d")

    await everybody.until(lambda: talker.code is not None, 10)
    assert talker.code == 1008
    assert (
        talker.socket.close_reason
        == "This socket only sends; it does not accept messages."
    )
    await everybody.agree(2)


async def test_a_site_that_stops_sends_every_client_a_close_frame() -> None:
    with serving() as served:
        everybody = Crowd(served.url)
        listeners = await everybody.join(3)
        await everybody.agree(3)
    await everybody.until(lambda: all(each.code for each in listeners), 10)

    assert {each.code for each in listeners} == {1012}


@pytest.mark.parametrize(
    ("origin", "may"), [("http://{own}", True), ("http://elsewhere.example", False)]
)
async def test_a_page_of_another_site_is_refused_and_the_log_says_why(
    served: Served, origin: str, may: bool, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Origin": origin.format(own=f"{served.host}:{served.port}")}
    if may:
        async with connect(
            f"ws://{served.host}:{served.port}/counter", additional_headers=headers
        ) as client:
            assert await client.recv() == "1"
        return

    refused = (await refusal(served, additional_headers=headers)).response

    assert refused.status_code == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["X-Test"] == "yes"
    problem = json.loads(refused.body or b"")
    assert "'http://elsewhere.example'" in problem["detail"]
    assert f"refused a socket to 127.0.0.1: {problem['detail']}" in warnings(caplog)


@pytest.mark.parametrize("bound", ["ONLINE_SOCKETS", "ONLINE_SOCKETS_OF_AN_ADDRESS"])
async def test_a_socket_beyond_the_limit_is_refused_with_retry_after(
    site: Settings, bound: str, caplog: pytest.LogCaptureFixture
) -> None:
    setattr(site, bound, 2)
    with serving() as served:
        async with crowd(served.url) as everybody:
            [first, _] = await everybody.join(2)
            await everybody.agree(2)

            refused = (await refusal(served)).response

            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert refused.headers["X-Test"] == "yes"
            detail = json.loads(refused.body or b"")["detail"]
            assert "2 sockets open" in detail
            assert f"refused a socket to 127.0.0.1: {detail}" in warnings(caplog)
            await everybody.leave([first])
            await everybody.agree(1)
            await everybody.join()
            await everybody.agree(2)


async def test_a_server_without_denial_responses_gets_a_close() -> None:
    conversation = Conversation(headers=[])

    async def reduced(scope: Scope, receive: Receive, send: Send) -> None:
        await conversation(scope | {"extensions": {}}, receive, send)

    with serving(reduced) as served:
        refused = await refusal(
            served, additional_headers={"Origin": "http://elsewhere.example"}
        )

    assert refused.response.status_code == 403


async def test_a_client_that_does_not_answer_pings_is_no_longer_counted() -> None:
    with serving(ws_ping_interval=0.1, ws_ping_timeout=0.2) as served:
        async with crowd(served.url) as everybody:
            await everybody.join()
            with raw_client(served):
                await everybody.agree(2)

                await everybody.agree(1)


@contextmanager
def raw_client(served: Served) -> Iterator[socket.socket]:
    """A client that only does what the test does with it after the handshake."""
    with socket.create_connection((served.host, served.port), timeout=60) as client:
        client.sendall(
            f"GET /counter HTTP/1.1\r\nHost: {served.host}:{served.port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(1)
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield client


@pytest.mark.parametrize(
    "bad",
    [
        b"\x81\x01a",  # not masked
        b"\x83\x80\x00\x00\x00\x00",  # an unknown opcode
        b"\xc1\x80\x00\x00\x00\x00",  # a reserved bit
        b"\x81\x81\x00\x00\x00\x00\xff",  # not UTF-8
        b"\x88\x81\x00\x00\x00\x00a",  # a close code of one byte
        b"\x81\xff" + b"\x7f" * 12,  # the largest possible length
    ],
)
async def test_a_client_that_does_not_speak_websocket_is_closed_and_no_longer_counted(
    everybody: Crowd, served: Served, bad: bytes
) -> None:
    await everybody.join()
    with raw_client(served) as client:
        await everybody.agree(2)

        client.sendall(bad)

        await everybody.agree(1)


async def test_a_half_closed_connection_is_no_longer_counted(
    everybody: Crowd, served: Served
) -> None:
    await everybody.join()
    with raw_client(served) as client:
        await everybody.agree(2)

        client.shutdown(socket.SHUT_WR)

        await everybody.agree(1)


async def test_a_reset_connection_is_no_longer_counted(
    everybody: Crowd, served: Served
) -> None:
    await everybody.join()
    with raw_client(served) as client:
        await everybody.agree(2)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    await everybody.agree(1)


# --- Without a server: events that no real server produces on demand ---


class Exchange:
    """An ASGI server for one socket, which the test controls."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.to_receive: asyncio.Queue[Message] = asyncio.Queue()
        self.to_receive.put_nowait({"type": "websocket.connect"})
        self.receivers = 0
        self.writable = asyncio.Event()
        self.writable.set()
        self.fails: Callable[[Message], Exception | None] = lambda message: None

    async def receive(self) -> Message:
        self.receivers += 1
        try:
            return await self.to_receive.get()
        finally:
            self.receivers -= 1

    async def send(self, message: Message) -> None:
        await self.writable.wait()
        error = self.fails(message)
        if error is not None:
            raise error
        self.sent.append(message)

    def types(self) -> list[str]:
        return [message["type"] for message in self.sent]


@pytest.fixture
async def worker() -> AsyncIterator[Presence]:
    async with database.pool() as pool, bus.bus() as the_bus:
        async with presence(pool, the_bus) as worker:
            yield worker


def conversing(worker: Presence, exchange: Exchange) -> Awaitable[None]:
    scope = {
        "type": "websocket",
        "scheme": "ws",
        "headers": [(b"host", b"localhost")],
        "client": ("192.0.2.1", 4711),
        "extensions": {"websocket.http.response": {}},
        "state": {"online": worker},
    }
    return asyncio.create_task(
        Conversation(headers=[])(scope, exchange.receive, exchange.send)
    )


def one_more(worker: Presence) -> None:
    """Changes the number, which all other sockets then receive."""
    worker.count.own += 1
    worker.broadcast.show(worker.total)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_socket_is_counted_from_accept_to_close(worker: Presence) -> None:
    exchange = Exchange()
    exchange.writable.clear()
    conversation = conversing(worker, exchange)
    await until(lambda: worker.socket_limit.open == 1)
    before = worker.total

    exchange.writable.set()
    await until(lambda: len(exchange.sent) == 2)
    during = worker.total
    exchange.to_receive.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await conversation

    assert (before, during, worker.total) == (0, 1, 0)
    assert exchange.types() == ["websocket.accept", "websocket.send"]
    assert worker.socket_limit.open == 0


async def test_the_application_always_receives(worker: Presence) -> None:
    exchange = Exchange()
    conversation = conversing(worker, exchange)
    for _ in range(5):
        await until(lambda: exchange.receivers == 1 and len(exchange.sent) == 2)
        exchange.to_receive.put_nowait({"type": "websocket.receive", "bytes": b"a"})
        await until(exchange.to_receive.empty)

    exchange.to_receive.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await conversation


async def test_a_client_that_disconnected_before_accept_is_never_counted(
    worker: Presence, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = Exchange()
    exchange.fails = lambda message: ConnectionResetError()

    await conversing(worker, exchange)

    assert worker.total == worker.socket_limit.open == 0
    assert warnings(caplog) == []


async def test_a_client_that_does_not_read_is_disconnected_and_no_longer_counted(
    worker: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("async_api.online.conversation.STALLED_SECONDS", 0.05)
    exchange = Exchange()
    conversation = conversing(worker, exchange)
    await until(lambda: len(exchange.sent) == 2)

    exchange.writable.clear()
    one_more(worker)
    await until(lambda: worker.count.own == 1)
    exchange.writable.set()
    await conversation

    assert exchange.sent[-1] == {
        "type": "websocket.close",
        "code": 1008,
        "reason": "You did not read what was sent.",
    }
    assert exchange.types().count("websocket.send") == 1
    assert worker.socket_limit.open == 0


async def test_a_client_that_never_reads_again_gets_no_close_frame(
    worker: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("async_api.online.conversation.STALLED_SECONDS", 0.05)
    exchange = Exchange()
    conversation = conversing(worker, exchange)
    await until(lambda: len(exchange.sent) == 2)

    exchange.writable.clear()
    one_more(worker)

    async with asyncio.timeout(5):
        await conversation
    assert (worker.count.own, worker.socket_limit.open) == (1, 0)


async def test_a_stalled_client_may_disconnect(
    worker: Presence, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = Exchange()
    conversation = conversing(worker, exchange)
    await until(lambda: len(exchange.sent) == 2)
    tasks = len(asyncio.all_tasks())
    exchange.writable.clear()
    one_more(worker)
    await until(lambda: len(asyncio.all_tasks()) > tasks)

    exchange.to_receive.put_nowait({"type": "websocket.disconnect", "code": 1006})
    await conversation

    assert len(asyncio.all_tasks()) == tasks - 1
    assert worker.count.own == 1
    assert warnings(caplog) == []


async def test_an_error_of_the_site_is_reported_to_the_client_and_logged(
    worker: Presence,
) -> None:
    exchange = Exchange()
    conversation = conversing(worker, exchange)
    await until(lambda: len(exchange.sent) == 2)

    # A message without a type causes a KeyError in the application.
    exchange.to_receive.put_nowait({})
    with pytest.raises(KeyError):
        await conversation

    assert exchange.sent[-1]["code"] == 1011
    assert worker.total == 0


async def test_a_close_after_a_disconnect_does_nothing(
    worker: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("async_api.online.conversation.MAX_MESSAGES", 0)
    exchange = Exchange()
    exchange.fails = lambda message: (
        RuntimeError("closed") if message["type"] == "websocket.close" else None
    )
    conversation = conversing(worker, exchange)

    exchange.to_receive.put_nowait({"type": "websocket.receive", "text": "a"})
    await conversation

    assert worker.total == 0


async def test_a_cancelled_conversation_is_no_longer_counted(
    worker: Presence,
) -> None:
    exchange = Exchange()
    conversation = conversing(worker, exchange)
    await until(lambda: worker.total == 1)

    assert isinstance(conversation, asyncio.Task)
    conversation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await conversation

    assert worker.total == worker.socket_limit.open == 0
