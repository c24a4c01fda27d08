"""Middleware that shares a coroutine behaves as if nested."""

from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from itertools import product
from traceback import walk_stack

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin
from pytest_django import Settings

from async_views.runtime.handler.asgi_handler import Handler
from async_views.runtime.handler.middleware_layers import InPlace
from tests.support.exchanges import get
from tests.support.replaceable_views import views

pytestmark = [
    pytest.mark.urls("tests.support.replaceable_views"),
    pytest.mark.usefixtures("bare"),
]

Answer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# The calls so far, and the outcomes that the test has planned for them.
calls: list[str] = []
plans: dict[str, str] = {}


@pytest.fixture(autouse=True)
def nothing_planned() -> Iterator[None]:
    yield
    calls.clear()
    plans.clear()


def call(name: str) -> HttpResponse | None:
    calls.append(name)
    plan = plans.get(name)
    if plan == "refuses":
        raise PermissionDenied
    return HttpResponse("early", status=202) if plan == "answers" else None


class Outer(MiddlewareMixin):
    """Has both hooks."""

    name = "outer"

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        return call(f"{self.name} begins")

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        seen = HTTPStatus(response.status_code).phrase
        answer = call(f"{self.name} ends")
        calls[-1] += f" after {seen}"
        return answer or response


class Middle(MiddlewareMixin):
    """Has one hook."""

    process_response = Outer.process_response
    name = "middle"


class Inner(Outer):
    name = "inner"


class OuterInPlace(InPlace, Outer):
    pass


class MiddleInPlace(InPlace, Middle):
    pass


class InnerInPlace(InPlace, Inner):
    pass


@async_only_middleware
def between(get_response: Answer) -> Answer:
    async def middleware(request: HttpRequest) -> HttpResponseBase:
        calls.append("between")
        return await get_response(request)

    return middleware


def paths(*names: str) -> list[str]:
    return [f"{__name__}.{name}" for name in names]


async def outcome() -> tuple[int, list[str]]:
    async def view(request: HttpRequest) -> HttpResponse:
        return call("view") or HttpResponse()

    views["async"] = view
    calls.clear()
    answer = await get(Handler())
    return answer.status_code, list(calls)


BEGINNINGS = ["outer begins", "inner begins", "view"]
ENDINGS = ["inner ends", "middle ends", "outer ends"]


@pytest.mark.parametrize(
    ("planned", "plan"),
    [("nothing", ""), *product(BEGINNINGS + ENDINGS, ["answers", "refuses"])],
)
@pytest.mark.parametrize("has_another_between", [False, True])
async def test_shared_middleware_is_called_as_by_django_with_the_same_result(
    settings: Settings, planned: str, plan: str, has_another_between: bool
) -> None:
    plans[planned] = plan
    another = paths("between") if has_another_between else []

    settings.MIDDLEWARE = [*paths("Outer"), *another, *paths("Middle", "Inner")]
    django = await outcome()
    settings.MIDDLEWARE = [
        *paths("OuterInPlace"),
        *another,
        *paths("MiddleInPlace", "InnerInPlace"),
    ]
    ours = await outcome()

    assert ours == django
    assert ours[1][0] == "outer begins"
    assert plan != "refuses" or ours[0] == 403


def outer_around_another(get_response: Answer) -> OuterInPlace:
    """A factory that puts a wrapper between its middleware and the next."""

    async def another(request: HttpRequest) -> HttpResponseBase:
        calls.append("another")
        return await get_response(request)

    return OuterInPlace(another)


outer_around_another.async_capable = True  # type: ignore[attr-defined]


async def test_a_wrapper_that_a_factory_adds_is_called(
    settings: Settings,
) -> None:
    settings.MIDDLEWARE = paths("outer_around_another", "InnerInPlace")

    _, made = await outcome()

    assert made[:3] == ["outer begins", "another", "inner begins"]


async def test_all_of_them_share_one_coroutine(settings: Settings) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            frame.f_code.co_name
            for frame, _ in walk_stack(None)
            if frame.f_code.co_name == "__acall__"
        )

    views["async"] = view
    settings.MIDDLEWARE = paths("OuterInPlace", "MiddleInPlace", "InnerInPlace")

    answer = await get(Handler())

    assert answer.content == b"__acall__"
