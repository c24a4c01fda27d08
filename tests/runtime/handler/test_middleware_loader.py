"""The handler loads MIDDLEWARE as Django does."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from django.utils.decorators import sync_and_async_middleware
from pytest_django import Settings

from async_views.runtime.handler.asgi_handler import Handler
from async_views.runtime.handler.middleware import in_place_classes
from async_views.runtime.handler.middleware_loader import (
    WRITTEN_FOR,
    load_middleware,
    warn_of_another_django,
)
from tests.support.exchanges import get
from tests.support.replaceable_views import views

pytestmark = [
    pytest.mark.urls("tests.support.replaceable_views"),
    pytest.mark.usefixtures("bare"),
]

CONDITIONAL_GET = "django.middleware.http.ConditionalGetMiddleware"


@pytest.fixture(autouse=True)
def nothing_warned_of() -> Iterator[None]:
    warn_of_another_django.cache_clear()
    yield
    warn_of_another_django.cache_clear()


def loaded(get_response: Any) -> Any:
    """A synchronous middleware with every hook that Django collects."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        return response

    made: Any = middleware
    made.process_view = lambda *arguments: None
    made.process_template_response = lambda request, response: response
    made.process_exception = lambda request, error: HttpResponse("caught", status=418)
    return made


@sync_and_async_middleware
def nothing(get_response: Any) -> None:
    return None


def incapable(get_response: Any) -> Any:
    return get_response


incapable.sync_capable = False  # type: ignore[attr-defined]


def unused(get_response: Any) -> Any:
    raise MiddlewareNotUsed("not today")


def unused_without_a_word(get_response: Any) -> Any:
    raise MiddlewareNotUsed


def paths(*factories: Callable[..., Any]) -> list[str]:
    return [f"{__name__}.{factory.__name__}" for factory in factories]


@pytest.mark.parametrize(
    ("factory", "error"),
    [(nothing, ImproperlyConfigured), (incapable, RuntimeError)],
)
def test_invalid_middleware_is_refused_with_django_s_message(
    factory: Callable[..., Any], error: type[Exception], settings: Settings
) -> None:
    settings.MIDDLEWARE = paths(factory)

    with pytest.raises(error) as django_s:
        ASGIHandler()
    with pytest.raises(error) as ours:
        Handler()

    assert str(ours.value) == str(django_s.value)


def test_django_s_log_messages_about_the_chain_are_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MIDDLEWARE = [*paths(unused, unused_without_a_word), CONDITIONAL_GET]
    settings.MIDDLEWARE += paths(loaded)
    settings.DEBUG = True
    caplog.set_level(logging.DEBUG, "django.request")

    ASGIHandler()
    django_s = [record.getMessage() for record in caplog.records]
    caplog.clear()
    Handler()

    assert [record.getMessage() for record in caplog.records] == django_s
    assert any("not today" in message for message in django_s)


@pytest.mark.parametrize("has_one_in_place", [False, True])
async def test_the_hooks_of_a_synchronous_middleware_are_called(
    has_one_in_place: bool, settings: Settings
) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        raise LookupError("on purpose")

    views["async"] = view
    settings.MIDDLEWARE = [CONDITIONAL_GET] * has_one_in_place + paths(loaded)

    answer = await get(Handler())

    assert (answer.status_code, answer.content) == (418, b"caught")


def test_a_synchronous_chain_is_loaded_too(settings: Settings) -> None:
    views["sync"] = lambda request: HttpResponse("Hello.")
    settings.MIDDLEWARE = [CONDITIONAL_GET, *paths(loaded)]
    handler = ASGIHandler()

    load_middleware(handler, is_async=False)
    response = handler.get_response(RequestFactory().get("/sync/"))

    assert isinstance(response, HttpResponse)
    assert response.content == b"Hello."


def test_an_untested_django_version_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Handler()
    assert not caplog.records

    monkeypatch.setattr("django.VERSION", (6, 0, 1, "final", 0))
    Handler()
    Handler()

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "6.0" in record.getMessage()
    assert "{}.{}".format(*WRITTEN_FOR) in record.getMessage()


def test_settings_keep_django_s_names(settings: Settings) -> None:
    settings.MIDDLEWARE = list(in_place_classes())

    Handler()

    assert settings.MIDDLEWARE == list(in_place_classes())
