"""A request's lazy attributes are created when they are used, and allowed hosts are kept."""

import gc
import weakref
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import get_urlconf, path
from django.utils.decorators import async_only_middleware
from pytest_django import Settings

from async_views.runtime.asgi.types import Message
from async_views.runtime.handler.asgi_handler import Handler
from async_views.runtime.handler.request import MAX_HOSTS, LazyRequest, _allowed
from benchmarks.servers.applications.startproject import MIDDLEWARE as SEVEN

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}

seen: list[weakref.ref[HttpRequest]] = []


async def remember(request: HttpRequest) -> HttpResponse:
    seen.append(weakref.ref(request))
    return HttpResponse("seen")


async def names(request: HttpRequest) -> HttpResponse:
    return HttpResponse(" ".join(sorted(vars(request))))


urlpatterns = [path("remember/", remember), path("names/", names)]


@pytest.fixture
def request_() -> LazyRequest:
    return LazyRequest(SCOPE, BytesIO())


def test_a_lazy_attribute_is_created_once_when_it_is_read(
    request_: LazyRequest,
) -> None:
    made: list[HttpRequest] = []

    def make(request: HttpRequest) -> str:
        made.append(request)
        return "a session"

    request_.set_lazy(session=make)

    assert not request_.has("session")
    assert made == []
    assert [request_.session, request_.session] == ["a session"] * 2
    assert made == [request_]
    assert request_.has("session")


def test_an_attribute_without_a_function_is_missing(request_: LazyRequest) -> None:
    assert not hasattr(request_, "user")
    with pytest.raises(AttributeError, match="'LazyRequest' .* 'user'"):
        request_.user  # noqa: B018


def test_a_lazy_attribute_belongs_to_one_request(
    request_: LazyRequest,
) -> None:
    request_.set_lazy(user=lambda request: "somebody")
    request_.set_lazy(session=lambda request: "a session")

    assert request_.session == "a session"
    assert str(request_.user) == "somebody"
    assert not hasattr(LazyRequest(SCOPE, BytesIO()), "user")


def test_a_value_replaces_a_lazy_attribute(request_: LazyRequest) -> None:
    request_.set_lazy(session=lambda request: "promised")

    request_.session = "set"

    assert request_.session == "set"
    assert request_.has("session")


def test_a_lazy_attribute_can_be_deleted_created_or_not(request_: LazyRequest) -> None:
    request_.set_lazy(session=lambda request: 1, user=lambda request: 2)
    assert request_.session == 1

    del request_.session
    del request_.user

    assert not hasattr(request_, "session")
    assert not hasattr(request_, "user")
    with pytest.raises(AttributeError, match="session"):
        del request_.session


async def call(path: str) -> bytes:
    body = b""
    asked = [{"type": "http.request"}]

    async def receive() -> Message:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = SCOPE | {"path": path, "headers": [(b"host", b"localhost")]}
    await Handler()(scope, receive, send)
    return body


@pytest.mark.urls(__name__)
async def test_a_finished_request_is_freed_without_the_garbage_collector(
    settings: Settings,
) -> None:
    settings.MIDDLEWARE = SEVEN
    seen.clear()
    gc.collect()
    gc.disable()
    try:
        body = await call("/remember/")

        assert body == b"seen"
        assert [request() for request in seen] == [None]
    finally:
        gc.enable()


@pytest.mark.urls(__name__)
async def test_unused_attributes_are_not_created(settings: Settings) -> None:
    settings.MIDDLEWARE = SEVEN

    made = (await call("/names/")).decode().split()

    assert not {"session", "user", "auser", "_messages"}.intersection(made)
    assert "path_info" in made


def test_the_request_is_an_asgi_request_of_django(request_: LazyRequest) -> None:
    assert isinstance(request_, ASGIRequest)
    assert request_.path == "/"


def asked_of(host: bytes) -> LazyRequest:
    return LazyRequest(SCOPE | {"headers": [(b"host", host)]}, BytesIO())


def test_a_host_is_allowed_while_the_settings_allow_it(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["site.example"]
    assert asked_of(b"site.example:8000").get_host() == "site.example:8000"

    settings.ALLOWED_HOSTS = ["other.example"]

    with pytest.raises(DisallowedHost):
        asked_of(b"site.example:8000").get_host()


def test_a_forwarded_host_is_checked_each_time(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["site.example"]
    asked_of(b"site.example").get_host()
    settings.USE_X_FORWARDED_HOST = True
    headers = [(b"host", b"site.example"), (b"x-forwarded-host", b"evil.example")]

    with pytest.raises(DisallowedHost):
        LazyRequest(SCOPE | {"headers": headers}, BytesIO()).get_host()


def test_the_memory_for_hosts_is_bounded(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [".example"]

    for number in range(MAX_HOSTS + 10):
        asked_of(b"host%d.example" % number).get_host()

    assert len(_allowed) <= MAX_HOSTS


async def own_urlconf(request: HttpRequest) -> HttpResponse:
    return HttpResponse("own")


class OwnUrls:
    urlpatterns = [path("own/", own_urlconf)]


@async_only_middleware
def with_own_urls(get_response: Any) -> Any:
    async def answer(request: HttpRequest) -> HttpResponse:
        setattr(request, "urlconf", OwnUrls)  # noqa: B010
        response: HttpResponse = await get_response(request)
        return response

    return answer


@pytest.mark.urls(__name__)
async def test_a_request_s_own_urlconf_is_reset_at_its_end(settings: Settings) -> None:
    settings.MIDDLEWARE = [f"{__name__}.with_own_urls"]

    assert await call("/own/") == b"own"
    assert get_urlconf() is None
