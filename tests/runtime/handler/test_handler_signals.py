"""All receivers are called in order, and those that may block on a thread."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse

from async_views.runtime.handler.asgi_handler import Handler
from tests.support.exchanges import SECONDS, connected, get
from tests.support.replaceable_views import ok, views

pytestmark = [
    pytest.mark.urls("tests.support.replaceable_views"),
    pytest.mark.usefixtures("bare"),
]


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


async def test_changes_of_receivers_between_requests_are_noticed() -> None:
    views["async"] = ok
    handler = Handler()
    senders: list[object] = []

    def note(sender: object, **named: Any) -> None:
        senders.append(sender)

    # Django now removes dead receivers, and would create a new list for that.
    with connected(request_started, note):
        pass
    await get(handler)
    with connected(request_started, note):
        await get(handler)
    await get(handler)

    assert senders == [Handler]


async def test_request_started_passes_the_scope_to_a_receiver() -> None:
    views["async"] = ok
    paths: list[str] = []

    def note(scope: dict[str, Any], **named: Any) -> None:
        paths.append(scope["path"])

    with connected(request_started, note):
        await get(Handler())

    assert paths == ["/async/"]
