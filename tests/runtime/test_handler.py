"""Does a request take the path of Django's own handler, without its threads?"""

import asyncio
import contextlib
import contextvars
import io
import itertools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.dispatch import Signal
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import path
from django.utils.decorators import async_only_middleware, sync_only_middleware
from pytest_django import Settings

from async_views.runtime.asgi_types import Message
from async_views.runtime.handler import Handler
from tests.servers import Served, serve_asgi

SECONDS = 5
HERE = __name__
CLIENTS = 200

pytestmark = pytest.mark.urls(__name__)

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour")
View = Callable[[HttpRequest], Any]


# The test's own view, for those that differ from test to test.
views: dict[str, View] = {}


async def view(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = await views["async"](request)
    return response


def synchronous_view(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = views["sync"](request)
    return response


def backend(request: HttpRequest) -> HttpResponse:
    """Which thread and connection this is, and how many connections there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid(), count(*), pg_sleep(0.005) FROM pg_stat_activity"
            " WHERE datname = current_database()"
        )
        pid, connected, _ = cursor.fetchone()
    return JsonResponse(
        {"pid": pid, "connected": connected, "thread": threading.get_ident()}
    )


async def leftovers(request: HttpRequest) -> HttpResponse:
    """What this process holds while it answers this."""
    return JsonResponse(
        {
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "files": len(os.listdir("/proc/self/fd")),
            "connected": await sync_to_async(count_connections)(),
        }
    )


def count_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


urlpatterns = [
    path("async/", view),
    path("sync/", synchronous_view),
    path("backend/", backend),
    path("leftovers/", leftovers),
]


@async_only_middleware
def asynchronous_colouring(get_response: Any) -> Any:
    async def middleware(request: HttpRequest) -> HttpResponse:
        colour.set("from the middleware")
        response: HttpResponse = await get_response(request)
        response["Colour"] = colour.get()
        return response

    return middleware


@sync_only_middleware
def synchronous_colouring(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        colour.set("from the middleware")
        response: HttpResponse = get_response(request)
        response["Colour"] = colour.get()
        return response

    return middleware


@pytest.fixture(autouse=True)
def bare(settings: Settings) -> Iterator[None]:
    """No middleware but what a test asks for, and no view either."""
    settings.MIDDLEWARE = []
    yield
    views.clear()


@contextlib.contextmanager
def connected(signal: Signal, receiver: Callable[..., Any]) -> Iterator[None]:
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


class Exchange:
    """A request to the application, message by message, and what it sends back."""

    def __init__(self, app: Any, path: str = "/async/", **named: Any) -> None:
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"testserver")],
        } | named
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        # Without the test's own context variables, as a server would.
        self.task: asyncio.Task[None] = asyncio.create_task(
            app(self.scope, self.received.get, self.sent.put),
            context=contextvars.Context(),
        )

    def tell(self, kind: str, **named: Any) -> None:
        self.received.put_nowait({"type": f"http.{kind}"} | named)

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), SECONDS)

    async def end(self) -> None:
        """Raises what the application raises."""
        await asyncio.wait_for(self.task, SECONDS)


async def get(app: Any, path: str = "/async/", **named: Any) -> HttpResponse:
    """The whole answer to a GET."""
    exchange = Exchange(app, path, **named)
    exchange.tell("request")
    start = await exchange.next()
    body, more = b"", True
    while more:
        message = await exchange.next()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await exchange.end()
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return HttpResponse(body, status=start["status"], headers=headers)


async def no_other_task() -> None:
    """Returns when no other task is left; raises TimeoutError where one stays."""
    async with asyncio.timeout(SECONDS):
        while asyncio.all_tasks() != {asyncio.current_task()}:
            await asyncio.sleep(0)


async def unanswered(*exchange: Any) -> None:
    """An application that says nothing."""


async def ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


# --- Signals ---


@pytest.mark.parametrize("signal", [request_started, request_finished])
async def test_a_blocking_receiver_keeps_its_thread_and_lets_the_loop_run(
    signal: Signal,
) -> None:
    views["async"] = ok
    loop, entered = asyncio.get_running_loop(), asyncio.Event()
    let_go = threading.Event()
    receivers: list[tuple[int, bool]] = []

    def block(**named: Any) -> None:
        loop.call_soon_threadsafe(entered.set)
        receivers.append((threading.get_ident(), let_go.wait(SECONDS)))

    with connected(signal, block):
        answering = asyncio.create_task(get(Handler()))
        await entered.wait()
        let_go.set()
        await answering

    [(thread, was_let_go)] = receivers
    assert was_let_go
    assert thread != threading.get_ident()


async def test_receivers_are_called_in_order_on_the_view_s_thread() -> None:
    events: list[tuple[str, int]] = []

    def noting(name: str) -> Callable[..., None]:
        return lambda **named: events.append((name, threading.get_ident()))

    def note_view(request: HttpRequest) -> HttpResponse:
        events.append(("view", threading.get_ident()))
        return HttpResponse()

    views["sync"] = note_view
    first, second, last = noting("first"), noting("second"), noting("last")
    with (
        connected(request_started, first),
        connected(request_started, second),
        connected(request_finished, last),
    ):
        await get(Handler(), "/sync/")

    assert [name for name, _ in events] == ["first", "second", "view", "last"]
    assert len({thread for _, thread in events}) == 1


async def test_an_asynchronous_receiver_is_awaited() -> None:
    events: list[str] = []

    async def started(**named: Any) -> None:
        await asyncio.sleep(0)
        events.append("started")

    async def finished(**named: Any) -> None:
        await asyncio.sleep(0)
        events.append("finished")

    async def note(request: HttpRequest) -> HttpResponse:
        events.append("view")
        return HttpResponse()

    views["async"] = note
    with connected(request_started, started), connected(request_finished, finished):
        await get(Handler())

    assert events == ["started", "view", "finished"]


async def test_a_receiver_that_comes_or_goes_between_requests_is_noticed() -> None:
    views["async"] = ok
    handler = Handler()
    senders: list[object] = []

    def note(sender: object, **named: Any) -> None:
        senders.append(sender)

    await get(handler)
    with connected(request_started, note):
        await get(handler)
    await get(handler)

    assert senders == [Handler]


async def test_request_started_tells_a_receiver_the_scope() -> None:
    views["async"] = ok
    paths: list[str] = []

    def note(scope: dict[str, Any], **named: Any) -> None:
        paths.append(scope["path"])

    with connected(request_started, note):
        await get(Handler())

    assert paths == ["/async/"]


# --- Threads ---


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


# --- What a view may count on ---


@pytest.mark.parametrize(
    "middleware", ["asynchronous_colouring", "synchronous_colouring"]
)
@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_context_variables_reach_the_view_and_come_back(
    middleware: str, kind: str, settings: Settings
) -> None:
    settings.MIDDLEWARE = [f"{HERE}.{middleware}"]

    def recolour(request: HttpRequest) -> HttpResponse:
        seen = colour.get()
        colour.set("from the view")
        return HttpResponse(seen)

    async def recolour_later(request: HttpRequest) -> HttpResponse:
        return recolour(request)

    views.update({"sync": recolour, "async": recolour_later})
    answer = await get(Handler(), f"/{kind}/")

    assert answer.content == b"from the middleware"
    assert answer["Colour"] == "from the view"


async def test_context_variables_do_not_reach_the_next_request() -> None:
    async def look(request: HttpRequest) -> HttpResponse:
        seen = colour.get("nothing")
        colour.set("left behind")
        return HttpResponse(seen)

    def look_synchronously(request: HttpRequest) -> HttpResponse:
        seen = colour.get("nothing")
        colour.set("left behind")
        return HttpResponse(seen)

    views.update({"async": look, "sync": look_synchronously})
    handler = Handler(threads=1)
    answers = [await get(handler, f"/{kind}/") for kind in ("async", "sync") * 2]

    assert [answer.content for answer in answers] == [b"nothing"] * 4


@pytest.fixture
def session_cookie(database: None) -> bytes:
    """What the browser of somebody who is logged in sends."""
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    return f"sessionid={client.cookies['sessionid'].value}".encode()


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_the_user_reaches_the_view(
    kind: str, session_cookie: bytes, settings: Settings
) -> None:
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]

    async def greet_later(request: HttpRequest) -> HttpResponse:
        return HttpResponse((await request.auser()).get_username())

    def greet(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.user.get_username())

    views.update({"sync": greet, "async": greet_later})
    headers = [(b"host", b"testserver"), (b"cookie", session_cookie)]
    answer = await get(Handler(), f"/{kind}/", headers=headers)

    assert answer.content == b"ada"


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.usefixtures("database")
async def test_a_view_s_error_rolls_back_where_requests_are_atomic(
    atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic)
    outcomes = iter([None, LookupError("on purpose")])

    def create(request: HttpRequest) -> HttpResponse:
        error = next(outcomes)
        Group.objects.create(name="wrong" if error else "right")
        if error:
            raise error
        return HttpResponse()

    views["sync"] = create
    handler = Handler()
    answers = [await get(handler, "/sync/") for _ in range(2)]
    names = [
        name
        async for name in Group.objects.order_by("id").values_list("name", flat=True)
    ]

    assert [answer.status_code for answer in answers] == [200, 500]
    assert names == (["right"] if atomic else ["right", "wrong"])


# --- Clients and servers that go away ---


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


async def test_a_view_may_clean_up_after_a_disconnect_and_is_not_cancelled_again() -> (
    None
):
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
    await no_other_task()


async def test_a_client_that_leaves_before_its_body_is_whole_is_not_answered() -> None:
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
async def test_two_hundred_clients_that_leave_midway_leave_nothing_behind(
    settings: Settings,
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    here, arrivals = asyncio.get_running_loop(), asyncio.Semaphore(0)

    def arrive() -> None:
        here.call_soon_threadsafe(arrivals.release)

    async def wait(request: HttpRequest) -> HttpResponseBase:
        async def dribble() -> AsyncIterator[bytes]:
            yield b"a little"
            arrive()
            await asyncio.Event().wait()

        if request.method == "POST":
            return StreamingHttpResponse(dribble())
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
    with serve_asgi(Handler(threads=4), log_level="error") as server:
        # All threads and their connections are there before anything is counted.
        warm = aiohttp.TCPConnector(force_close=True, limit=20)
        async with aiohttp.ClientSession(server.url, connector=warm) as session:

            async def ask() -> None:
                async with session.get("/backend/") as response:
                    await response.read()

            await asyncio.gather(*(ask() for _ in range(20)))
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


# --- Bodies ---


async def test_an_asynchronous_iterator_is_sent_as_it_comes() -> None:
    go_on = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await go_on.wait()
        yield b"two"

    async def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(parts())

    views["async"] = stream
    exchange = Exchange(Handler())
    exchange.tell("request")
    sent = [await exchange.next() for _ in range(2)]
    go_on.set()
    sent += [await exchange.next() for _ in range(2)]
    await exchange.end()

    assert [message.get("body", b"") for message in sent] == [b"", b"one", b"two", b""]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
async def test_a_synchronous_iterator_is_sent_whole() -> None:
    def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(b"%d," % number for number in range(5))

    views["sync"] = stream
    answer = await get(Handler(), "/sync/")

    assert answer.content == b"0,1,2,3,4,"


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
async def test_a_file_is_sent_whole_and_closed(tmp_path: Path) -> None:
    source = tmp_path / "large.bin"
    source.write_bytes(os.urandom(300_000))
    opened: list[Any] = []

    async def send_file(request: HttpRequest) -> FileResponse:
        opened.append(source.open("rb"))
        return FileResponse(opened[0])

    views["async"] = send_file
    answer = await get(Handler())

    assert answer.content == source.read_bytes()
    assert answer["Content-Length"] == "300000"
    assert opened[0].closed


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_an_upload_too_large_for_memory_is_gone_when_it_was_answered(
    kind: str, settings: Settings
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10_000
    paths: list[Path] = []

    def measure(request: HttpRequest) -> HttpResponse:
        upload = request.FILES["upload"]
        paths.append(Path(upload.temporary_file_path()))  # type: ignore[union-attr]
        return HttpResponse(f"{paths[0].stat().st_size} {paths[0].exists()}")

    async def measure_later(request: HttpRequest) -> HttpResponse:
        return measure(request)

    views.update({"sync": measure, "async": measure_later})
    with serve_asgi(Handler(), log_level="error") as server:
        form = aiohttp.FormData()
        form.add_field("upload", io.BytesIO(bytes(2_000_000)), filename="large.bin")
        async with (
            aiohttp.ClientSession(server.url) as session,
            session.post(f"/{kind}/", data=form) as response,
        ):
            answer = await response.text()

    assert answer == "2000000 True"
    assert not paths[0].exists()


async def test_a_body_in_several_parts_reaches_the_view_whole() -> None:
    async def echo(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.body)

    views["async"] = echo
    exchange = Exchange(Handler(), method="POST")
    # The first part says nothing: it is not the end.
    for body in (b"", b"one ", b"two"):
        more = body != b"two"
        exchange.tell("request", body=body, more_body=more)
    await exchange.next()
    message = await exchange.next()
    await exchange.end()

    assert message["body"] == b"one two"


# --- Errors ---


async def test_an_error_after_the_response_began_is_raised_to_the_server() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        raise LookupError("on purpose")

    async def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(parts())

    views["async"] = stream
    exchange = Exchange(Handler())
    exchange.tell("request")
    with pytest.raises(LookupError, match="on purpose"):
        await exchange.end()

    sent = [exchange.sent.get_nowait() for _ in range(2)]
    assert [message.get("body") for message in sent] == [None, b"one"]
    assert exchange.sent.empty()


@pytest.mark.parametrize("waits", [True, False])
async def test_a_server_that_cannot_send_has_its_error_back(waits: bool) -> None:
    async def answer(request: HttpRequest) -> HttpResponse:
        if waits:
            await asyncio.sleep(0)
        return HttpResponse()

    async def send(message: Message) -> None:
        raise OSError("The socket is gone.")

    views["async"] = answer
    exchange = Exchange(unanswered)
    await exchange.end()
    exchange.tell("request")

    with pytest.raises(OSError, match="The socket is gone"):
        await Handler()(exchange.scope, exchange.received.get, send)
    await no_other_task()


async def test_an_impossible_message_after_the_body_is_raised_to_the_server() -> None:
    entered = asyncio.Event()

    async def wait(request: HttpRequest) -> HttpResponse:
        entered.set()
        await asyncio.Event().wait()
        return HttpResponse()

    views["async"] = wait
    exchange = Exchange(Handler())
    exchange.tell("request")
    await entered.wait()
    exchange.tell("request")

    with pytest.raises(AssertionError, match="Invalid ASGI message"):
        await exchange.end()


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_only_http_is_django_s(kind: str) -> None:
    with pytest.raises(ValueError, match=f"not {kind}"):
        await Exchange(Handler(), type=kind).end()
