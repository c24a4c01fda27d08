"""Blocking code shares its request's thread and connection, and these are few."""

import asyncio
import contextlib
import inspect
import runpy
import threading
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.db import OperationalError, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from async_views.runtime.asgi.types import Message, Receive, Scope, Send
from async_views.runtime.handler.asgi_handler import CheckedConnections, Handler
from tests.support.exchanges import SECONDS, Exchange, get
from tests.support.replaceable_views import count_connections, views
from tests.support.servers import serve_asgi

CLIENTS = 200

pytestmark = [
    pytest.mark.urls("tests.support.replaceable_views"),
    pytest.mark.usefixtures("bare"),
]


async def test_the_synchronous_calls_of_a_request_share_a_thread() -> None:
    idents: list[int] = []

    async def call_thrice(request: HttpRequest) -> HttpResponse:
        for _ in range(2):
            idents.append(await sync_to_async(threading.get_ident)())
        idents.extend(
            await asyncio.gather(
                *(sync_to_async(threading.get_ident)() for _ in range(3))
            )
        )
        return HttpResponse()

    views["async"] = call_thrice
    await get(Handler())

    assert len(idents) == 5
    assert len(set(idents)) == 1
    assert idents[0] != threading.get_ident()


async def test_concurrent_requests_have_a_thread_each() -> None:
    together = threading.Barrier(3)
    idents: set[int] = set()

    def meet(request: HttpRequest) -> HttpResponse:
        together.wait(SECONDS)
        idents.add(threading.get_ident())
        return HttpResponse()

    views["sync"] = meet
    handler = Handler(threads=3)
    answers = await asyncio.gather(*(get(handler, "/sync/") for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(idents) == 3


async def test_a_task_that_outlives_its_request_may_still_use_threads() -> None:
    answered = asyncio.Event()
    within: list[int] = []
    tasks: list[asyncio.Task[int]] = []

    async def outlive() -> int:
        await answered.wait()
        return await sync_to_async(threading.get_ident)()

    async def leave_a_task(request: HttpRequest) -> HttpResponse:
        within.append(await sync_to_async(threading.get_ident)())
        tasks.append(asyncio.create_task(outlive()))
        return HttpResponse()

    views["async"] = leave_a_task
    await get(Handler(threads=1))
    answered.set()

    after = await asyncio.wait_for(tasks[0], SECONDS)
    assert after not in {threading.get_ident(), *within}


class ClosingResponse(HttpResponse):
    """A response that records on which threads it was closed."""

    closed_on: list[int]

    def close(self) -> None:
        self.closed_on.append(threading.get_ident())
        super().close()


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_response_that_overrides_close_is_closed_off_the_loop(
    kind: str,
) -> None:
    closed_on: list[int] = []
    ran_on: list[int] = []

    def answer(request: HttpRequest) -> HttpResponse:
        ran_on.append(threading.get_ident())
        response = ClosingResponse()
        response.closed_on = closed_on
        return response

    async def answer_later(request: HttpRequest) -> HttpResponse:
        return answer(request)

    views.update({"sync": answer, "async": answer_later})
    await get(Handler(), f"/{kind}/")

    [thread] = closed_on
    assert thread != threading.get_ident()
    assert kind == "async" or closed_on == ran_on


async def test_other_closers_of_a_response_run_off_the_loop() -> None:
    closed_on: list[int] = []
    responses: list[HttpResponse] = []

    class Held:
        def close(self) -> None:
            closed_on.append(threading.get_ident())

    async def hold(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        response._resource_closers.append(Held().close)  # type: ignore[attr-defined]
        responses.append(response)
        return response

    views["async"] = hold
    await get(Handler())

    [thread] = closed_on
    assert thread != threading.get_ident()
    assert responses[0].closed


async def test_a_response_without_closers_is_closed_when_it_has_been_sent() -> None:
    responses: list[HttpResponse] = []

    async def keep(request: HttpRequest) -> HttpResponse:
        responses.append(HttpResponse())
        return responses[0]

    views["async"] = keep
    await get(Handler())

    assert responses[0].closed


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(("max_age", "is_open"), [(0, False), (60, True)])
@pytest.mark.usefixtures("database")
async def test_a_connection_that_is_not_persistent_is_closed_on_its_thread(
    kind: str, max_age: int, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", max_age)
    used: list[BaseDatabaseWrapper] = []

    def use(request: HttpRequest) -> HttpResponse:
        count_connections()
        used.append(connections["default"])
        return HttpResponse()

    async def use_later(request: HttpRequest) -> HttpResponse:
        return await sync_to_async(use)(request)

    views.update({"sync": use, "async": use_later})
    await get(Handler(), f"/{kind}/")

    assert (used[0].connection is not None) is is_open


@contextlib.contextmanager
def without_close_old_connections() -> Iterator[None]:
    """Does not close old connections at the start of a request, like Django's test client."""
    request_started.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)


@pytest.mark.parametrize("listens", [True, False])
@pytest.mark.usefixtures("database")
async def test_a_connection_past_its_maximum_age_is_not_used(
    listens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)
    used: list[BaseDatabaseWrapper] = []
    opened: list[object] = []

    def use(request: HttpRequest) -> HttpResponse:
        count_connections()
        used.append(connections["default"])
        opened.append(connections["default"].connection)
        return HttpResponse()

    views["sync"] = use
    handler = Handler(threads=1)
    for _ in range(2):
        await get(handler, "/sync/")
    used[0].close_at = time.monotonic()
    with contextlib.nullcontext() if listens else without_close_old_connections():
        await get(handler, "/sync/")

    first, second, third = opened
    assert first is second
    assert (first is not third) is listens


@pytest.mark.usefixtures("database")
async def test_a_kept_connection_is_checked_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)
    monkeypatch.setitem(connections.settings["default"], "CONN_HEALTH_CHECKS", True)
    checks: list[BaseDatabaseWrapper] = []
    is_usable = DatabaseWrapper.is_usable

    def noted_is_usable(self: DatabaseWrapper) -> bool:
        checks.append(self)
        return is_usable(self)

    monkeypatch.setattr(DatabaseWrapper, "is_usable", noted_is_usable)
    views["sync"] = lambda request: HttpResponse(str(count_connections()))
    handler = Handler(threads=1)
    await get(handler, "/sync/")
    for _ in range(3):
        await get(handler, "/sync/")
    assert checks == []

    monkeypatch.setattr(CheckedConnections, "trusted_seconds", 0.0)
    await get(handler, "/sync/")
    assert len(checks) == 1


@pytest.mark.usefixtures("database")
async def test_a_connection_is_checked_at_once_after_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)
    monkeypatch.setitem(connections.settings["default"], "CONN_HEALTH_CHECKS", True)
    pids: list[int] = []

    def use(request: HttpRequest) -> HttpResponse:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
        return HttpResponse()

    def end_it(request: HttpRequest) -> HttpResponse:
        with connections["default"].cursor() as cursor:
            with contextlib.suppress(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return HttpResponse()

    handler = Handler(threads=1)
    for view in (use, end_it, use):
        views["sync"] = view
        answer = await get(handler, "/sync/")
        assert answer.status_code == 200

    assert pids[0] != pids[1]


@pytest.mark.usefixtures("database")
async def test_a_request_sees_only_its_own_queries(settings: Settings) -> None:
    settings.DEBUG = True

    def use(request: HttpRequest) -> HttpResponse:
        count_connections()
        return HttpResponse(str(len(connections["default"].queries)))

    views["sync"] = use
    handler = Handler(threads=1)
    answers = [await get(handler, "/sync/") for _ in range(2)]

    assert [answer.content for answer in answers] == [b"1", b"1"]


@pytest.mark.usefixtures("database")
async def test_a_connection_of_the_event_loop_is_closed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    used: list[BaseDatabaseWrapper] = []

    async def use(request: HttpRequest) -> HttpResponse:
        count_connections()
        used.append(connections["default"])
        return HttpResponse()

    views["async"] = use
    # The variable is read once, when the module is loaded.
    module = runpy.run_path(str(inspect.getsourcefile(Handler)))
    await get(module["Handler"]())

    assert used[0].connection is None


async def test_a_request_that_ends_in_an_error_returns_its_thread() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    async def send(message: Message) -> None:
        raise OSError("The socket is gone.")

    views["sync"] = answer
    handler = Handler(threads=1)

    async def application(scope: Scope, receive: Receive, _: Send) -> None:
        await handler(scope, receive, send)

    failing = Exchange(application, "/sync/")
    failing.tell("request")
    with pytest.raises(OSError, match="The socket is gone"):
        await failing.end()

    assert (await get(handler, "/sync/")).content == b"ok"


async def answers_of_many(app: Any, clients: int) -> list[dict[str, int]]:
    with serve_asgi(app) as server:
        connector = aiohttp.TCPConnector(limit=clients)
        async with aiohttp.ClientSession(server.url, connector=connector) as session:

            async def use() -> dict[str, int]:
                async with session.get("/backend/") as response:
                    answer: dict[str, int] = await response.json()
                    return answer

            return await asyncio.gather(*(use() for _ in range(clients)))


@pytest.mark.usefixtures("database")
async def test_two_hundred_clients_share_one_connection_per_thread() -> None:
    [alone] = await answers_of_many(Handler(), 1)

    answers = await answers_of_many(Handler(threads=4), CLIENTS)

    assert len(answers) == CLIENTS
    assert len({answer["pid"] for answer in answers}) == 4
    assert len({answer["thread"] for answer in answers}) == 4
    assert max(answer["connected"] for answer in answers) <= alone["connected"] + 4


@pytest.mark.usefixtures("database")
async def test_django_s_own_handler_opens_a_connection_per_request() -> None:
    answers = await answers_of_many(ASGIHandler(), 10)

    assert len({answer["pid"] for answer in answers}) == 10
