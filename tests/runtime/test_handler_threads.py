"""Does what blocks share its request's thread and connection, and are these few?"""

import asyncio
import threading
from typing import Any

import aiohttp
import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse

from async_views.runtime.handler import Handler
from tests.runtime.exchanges import SECONDS, get
from tests.runtime.replaceable_views import count_connections, views
from tests.servers import serve_asgi

CLIENTS = 200

pytestmark = [
    pytest.mark.urls("tests.runtime.replaceable_views"),
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
    """A response that notes on which threads it was closed."""

    closed_on: list[int]

    def close(self) -> None:
        self.closed_on.append(threading.get_ident())
        super().close()


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_response_with_a_close_of_its_own_is_closed_off_the_loop(
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


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(("max_age", "is_open"), [(0, False), (60, True)])
@pytest.mark.usefixtures("database")
async def test_a_connection_is_closed_on_its_thread_where_it_is_not_to_be_kept(
    kind: str, max_age: int, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", max_age)
    used: list[BaseDatabaseWrapper] = []

    def ask(request: HttpRequest) -> HttpResponse:
        count_connections()
        used.append(connections["default"])
        return HttpResponse()

    async def ask_later(request: HttpRequest) -> HttpResponse:
        return await sync_to_async(ask)(request)

    views.update({"sync": ask, "async": ask_later})
    await get(Handler(), f"/{kind}/")

    assert (used[0].connection is not None) is is_open


async def answers_of_many(app: Any, clients: int) -> list[dict[str, int]]:
    with serve_asgi(app, log_level="error") as server:
        connector = aiohttp.TCPConnector(limit=clients)
        async with aiohttp.ClientSession(server.url, connector=connector) as session:

            async def ask() -> dict[str, int]:
                async with session.get("/backend/") as response:
                    answer: dict[str, int] = await response.json()
                    return answer

            return await asyncio.gather(*(ask() for _ in range(clients)))


@pytest.mark.usefixtures("database")
async def test_two_hundred_clients_share_as_many_connections_as_there_are_threads() -> (
    None
):
    [alone] = await answers_of_many(Handler(), 1)

    answers = await answers_of_many(Handler(threads=4), CLIENTS)

    assert len(answers) == CLIENTS
    assert len({answer["pid"] for answer in answers}) == 4
    assert len({answer["thread"] for answer in answers}) == 4
    assert max(answer["connected"] for answer in answers) <= alone["connected"] + 4


@pytest.mark.usefixtures("database")
async def test_django_s_own_handler_opens_a_connection_a_request() -> None:
    answers = await answers_of_many(ASGIHandler(), 10)

    assert len({answer["pid"] for answer in answers}) == 10
