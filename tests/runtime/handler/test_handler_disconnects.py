"""A request is cancelled when its client leaves or the server stops."""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from asgiref.sync import sync_to_async
from django.core.signals import request_finished
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from pytest_django import Settings

from async_views.runtime.asgi.types import HAS_MESSAGE
from async_views.runtime.handler.asgi_handler import Handler
from tests.support.exchanges import (
    SECONDS,
    Exchange,
    connected,
    get,
    no_other_task,
)
from tests.support.replaceable_views import count_connections, views
from tests.support.servers import Served, serve_asgi

CLIENTS = 200

pytestmark = [
    pytest.mark.urls("tests.support.replaceable_views"),
    pytest.mark.usefixtures("bare"),
]


async def test_a_disconnect_cancels_the_view_and_finishes_the_request_once() -> None:
    entered = asyncio.Event()
    events: list[str] = []

    async def wait(request: HttpRequest) -> HttpResponse:
        try:
            entered.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events.append("cancelled")
            raise
        return HttpResponse()

    def finished(**named: Any) -> None:
        events.append("finished")

    views["async"] = wait
    with connected(request_finished, finished):
        exchange = Exchange(Handler())
        exchange.tell("request")
        await entered.wait()
        exchange.tell("disconnect")
        await exchange.end()

    assert events == ["cancelled", "finished"]
    assert exchange.sent.empty()
    assert not exchange.task.cancelled()
    # Otherwise a later timeout in this task would count itself as cancelled.
    assert exchange.task.cancelling() == 0


@pytest.mark.parametrize(
    ("extensions", "heard"),
    [
        ({}, True),
        ({HAS_MESSAGE: lambda: True}, True),
        ({HAS_MESSAGE: lambda: False}, False),
    ],
)
async def test_a_disconnect_before_the_first_wait_is_noticed_if_the_server_reports_it(
    extensions: dict[str, Any], heard: bool
) -> None:
    async def wait_a_moment(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0)
        return HttpResponse()

    views["async"] = wait_a_moment
    exchange = Exchange(Handler(), extensions=extensions)
    exchange.tell("request")
    exchange.tell("disconnect")
    await exchange.end()

    assert exchange.sent.empty() == heard
    assert exchange.received.empty() == heard


async def test_a_view_that_cleans_up_after_a_disconnect_is_cancelled_once() -> None:
    entered = asyncio.Event()
    events: list[str] = []

    async def clean_up(request: HttpRequest) -> HttpResponse:
        try:
            entered.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            await sync_to_async(events.append)("cleaned up")
        return HttpResponse()

    views["async"] = clean_up
    exchange = Exchange(Handler())
    exchange.tell("request")
    await entered.wait()
    exchange.tell("disconnect")
    await exchange.end()

    assert events == ["cleaned up"]


@pytest.mark.usefixtures("database")
async def test_a_disconnect_closes_the_connection_that_the_request_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    entered = asyncio.Event()
    used: list[BaseDatabaseWrapper] = []

    def fetch() -> None:
        count_connections()
        used.append(connections["default"])

    async def ask_and_wait(request: HttpRequest) -> HttpResponse:
        await sync_to_async(fetch)()
        entered.set()
        await asyncio.Event().wait()
        return HttpResponse()

    views["async"] = ask_and_wait
    exchange = Exchange(Handler())
    exchange.tell("request")
    await entered.wait()
    was_open = used[0].connection is not None
    exchange.tell("disconnect")
    await exchange.end()

    assert was_open
    assert used[0].connection is None


async def test_a_disconnect_from_a_view_that_does_not_block_starts_no_thread() -> None:
    entered = asyncio.Event()

    async def wait(request: HttpRequest) -> HttpResponse:
        entered.set()
        await asyncio.Event().wait()
        return HttpResponse()

    views["async"] = wait
    before = threading.active_count()
    exchange = Exchange(Handler())
    exchange.tell("request")
    await entered.wait()
    exchange.tell("disconnect")
    await exchange.end()

    assert threading.active_count() == before


async def test_listening_for_a_disconnect_begins_after_the_view_has_waited() -> None:
    tasks: list[int] = []

    async def note(request: HttpRequest) -> HttpResponse:
        tasks.append(len(asyncio.all_tasks()))
        await asyncio.sleep(0)
        tasks.append(len(asyncio.all_tasks()))
        async with asyncio.timeout(5):
            while len(asyncio.all_tasks()) == tasks[0]:
                await asyncio.sleep(0.001)
        tasks.append(len(asyncio.all_tasks()))
        return HttpResponse()

    views["async"] = note
    await get(Handler())

    before, soon, later = tasks
    assert soon == before
    assert later == before + 1
    await no_other_task()


async def test_a_disconnect_ends_a_stream_and_closes_its_generator() -> None:
    events: list[str] = []

    async def count() -> AsyncIterator[bytes]:
        try:
            for number in itertools.count():
                yield b"%d" % number
                if number:
                    await asyncio.Event().wait()
        finally:
            events.append("closed")

    async def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(count())

    views["async"] = stream

    def finished(**named: Any) -> None:
        events.append("finished")

    with connected(request_finished, finished):
        exchange = Exchange(Handler())
        exchange.tell("request")
        sent = [await exchange.next() for _ in range(3)]
        exchange.tell("disconnect")
        await exchange.end()

    assert [message.get("body") for message in sent] == [None, b"0", b"1"]
    assert events == ["closed", "finished"]


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_the_server_s_own_cancellation_is_not_swallowed(kind: str) -> None:
    loop, entered, let_go = (
        asyncio.get_running_loop(),
        asyncio.Event(),
        threading.Event(),
    )

    async def wait(request: HttpRequest) -> HttpResponse:
        entered.set()
        await asyncio.Event().wait()
        return HttpResponse()

    def block(request: HttpRequest) -> HttpResponse:
        loop.call_soon_threadsafe(entered.set)
        let_go.wait(SECONDS)
        return HttpResponse()

    views.update({"async": wait, "sync": block})
    exchange = Exchange(Handler(), f"/{kind}/")
    exchange.tell("request")
    await entered.wait()
    exchange.task.cancel()
    let_go.set()
    await asyncio.wait([exchange.task], timeout=SECONDS)

    assert exchange.task.cancelled()
    assert exchange.task.cancelling() == 1
    await no_other_task()


async def test_a_client_that_disconnects_within_its_body_gets_no_response() -> None:
    called: list[HttpRequest] = []

    async def note(request: HttpRequest) -> HttpResponse:
        called.append(request)
        return HttpResponse()

    views["async"] = note
    exchange = Exchange(Handler(), method="POST")
    exchange.tell("request", body=b"half", more_body=True)
    exchange.tell("disconnect")
    await exchange.end()

    assert called == []
    assert exchange.sent.empty()


async def test_a_client_that_disconnects_before_its_body_gets_no_response() -> None:
    called: list[HttpRequest] = []

    async def note(request: HttpRequest) -> HttpResponse:
        called.append(request)
        return HttpResponse()

    views["async"] = note
    exchange = Exchange(Handler())
    exchange.tell("disconnect")
    await exchange.end()

    assert called == []
    assert exchange.sent.empty()


async def ask_leftovers(server: Served) -> dict[str, int]:
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        aiohttp.ClientSession(server.url, connector=connector) as session,
        session.get("/leftovers/") as response,
    ):
        answer: dict[str, int] = await response.json()
        return answer


def exceeds(held: dict[str, int], allowed: dict[str, int]) -> bool:
    return any(held[kind] > allowed[kind] for kind in allowed)


@pytest.mark.usefixtures("database")
async def test_two_hundred_disconnects_leak_nothing(
    settings: Settings,
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    here, arrivals = asyncio.get_running_loop(), asyncio.Semaphore(0)

    def arrive() -> None:
        here.call_soon_threadsafe(arrivals.release)

    async def wait(request: HttpRequest) -> HttpResponseBase:
        async def slow_stream() -> AsyncIterator[bytes]:
            yield b"a little"
            arrive()
            await asyncio.Event().wait()

        if request.method == "POST":
            return StreamingHttpResponse(slow_stream())
        arrive()
        await asyncio.Event().wait()
        return HttpResponse()

    def work(request: HttpRequest) -> HttpResponse:
        arrive()
        count_connections()
        time.sleep(0.002)
        return HttpResponse(b"x" * 1000)

    views.update({"async": wait, "sync": work})
    requests = [
        "GET /async/ HTTP/1.1\r\nHost: testserver\r\n\r\n",
        "GET /sync/ HTTP/1.1\r\nHost: testserver\r\n\r\n",
        "POST /async/ HTTP/1.1\r\nHost: testserver\r\nContent-Length: 0\r\n\r\n",
        "POST /async/ HTTP/1.1\r\nHost: testserver\r\nContent-Length: 9999\r\n\r\n"
        + "half" * 500,
    ]
    with serve_asgi(Handler(threads=4)) as server:
        # All threads and their connections exist before anything is counted.
        warm = aiohttp.TCPConnector(force_close=True, limit=20)
        async with aiohttp.ClientSession(server.url, connector=warm) as session:

            async def fetch() -> None:
                async with session.get("/backend/") as response:
                    await response.read()

            await asyncio.gather(*(fetch() for _ in range(20)))
        before = await ask_leftovers(server)

        async def come_and_leave(request: str) -> None:
            _, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(request.encode())
            await writer.drain()
            writers.append(writer)

        writers: list[asyncio.StreamWriter] = []
        await asyncio.gather(*(come_and_leave(requests[n % 4]) for n in range(CLIENTS)))
        async with asyncio.timeout(SECONDS):
            for _ in range(CLIENTS * 3 // 4):
                await arrivals.acquire()
        during = await ask_leftovers(server)
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        deadline = time.monotonic() + SECONDS
        while exceeds(after := await ask_leftovers(server), before):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.02)

    assert during["tasks"] > before["tasks"] + CLIENTS // 2
    assert during["files"] > before["files"] + CLIENTS
    assert during["connected"] == before["connected"]
    assert not exceeds(after, before), f"{before} grew to {after}"
