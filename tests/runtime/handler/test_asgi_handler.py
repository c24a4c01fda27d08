"""A view finds the request it expects, and errors become responses."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import request_finished
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.decorators import async_only_middleware, sync_only_middleware
from pytest_django import Settings

from async_views.runtime.asgi.types import Message
from async_views.runtime.handler.asgi_handler import Handler
from tests.support.exchanges import Exchange, connected, get, no_other_task
from tests.support.replaceable_views import views

HERE = __name__

pytestmark = [
    pytest.mark.urls("tests.support.replaceable_views"),
    pytest.mark.usefixtures("bare"),
]

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour")


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
    """The Cookie header of a user who is logged in."""
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


async def test_the_root_path_is_part_of_the_request_s_path() -> None:
    async def locate(request: HttpRequest) -> HttpResponse:
        return HttpResponse(reverse("leftovers"))

    views["async"] = locate
    answer = await get(Handler(), "/below/async/", root_path="/below")

    assert answer.content == b"/below/leftovers/"


class NotedCache(LocMemCache):
    """Records on which threads it was closed."""

    closed: ClassVar[list[int]] = []

    def close(self, **kwargs: Any) -> None:
        self.closed.append(threading.get_ident())


async def test_a_cache_is_closed_at_the_end_of_the_request_on_the_thread_that_used_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{HERE}.NotedCache"}}
    monkeypatch.setattr(NotedCache, "closed", [])

    async def look_up(request: HttpRequest) -> HttpResponse:
        return HttpResponse(cache.get("colour", "none"))

    views["async"] = look_up
    answer = await get(Handler())

    assert answer.content == b"none"
    assert NotedCache.closed == [threading.get_ident()]


async def test_a_cache_is_closed_after_a_disconnect_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{HERE}.NotedCache"}}
    monkeypatch.setattr(NotedCache, "closed", [])
    entered = asyncio.Event()

    async def look_up_and_wait(request: HttpRequest) -> HttpResponse:
        cache.get("colour")
        entered.set()
        await asyncio.Event().wait()
        return HttpResponse()

    views["async"] = look_up_and_wait
    exchange = Exchange(Handler())
    exchange.tell("request")
    await entered.wait()
    exchange.tell("disconnect")
    await exchange.end()

    assert NotedCache.closed == [threading.get_ident()]


async def test_a_request_that_django_cannot_read_is_refused_and_finished() -> None:
    finished: list[object] = []

    def note(sender: object, **named: Any) -> None:
        finished.append(sender)

    with connected(request_finished, note):
        answer = await get(Handler(), query_string=b"colour=\xff")

    assert answer.status_code == 400
    assert len(finished) == 1


async def unanswered(*exchange: Any) -> None:
    """An application that sends nothing."""


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
async def test_an_error_of_the_server_s_send_is_raised_to_the_server(
    waits: bool,
) -> None:
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
async def test_only_http_reaches_django(kind: str) -> None:
    with pytest.raises(ValueError, match=f"not {kind}"):
        await Exchange(Handler(), type=kind).end()
