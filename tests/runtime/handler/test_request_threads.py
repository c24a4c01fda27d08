"""Blocking code of one request runs on one thread, and threads are lent in order."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack
from functools import partial

import pytest
from asgiref.sync import sync_to_async

from async_views.runtime.handler.request_threads import RequestThread, RequestThreads

SECONDS = 60


class Gate:
    """Work that reports when it has begun, and runs until the gate is opened."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()

    def pass_through(self) -> int:
        self.begun.set()
        if not self.opened.wait(SECONDS):
            raise TimeoutError("The gate was not opened.")
        return threading.get_ident()


@pytest.fixture
def gate() -> Iterator[Callable[[], Gate]]:
    """Creates gates, which are opened at the latest when the test ends."""
    with ExitStack() as opening:

        def make() -> Gate:
            made = Gate()
            opening.callback(made.opened.set)
            return made

        yield make


def nothing() -> None:
    pass


def test_no_more_threads_work_than_the_size_of_the_pool(
    gate: Callable[[], Gate],
) -> None:
    threads = RequestThreads(3)
    requests = [RequestThread(threads, nothing) for _ in range(20)]
    lock, door = threading.Lock(), gate()
    working: list[int] = []
    most = 0

    def work() -> int:
        nonlocal most
        with lock:
            working.append(1)
            most = max(most, len(working))
            if len(working) == 3:
                door.opened.set()
        # The first three wait for each other: so it is not fewer either.
        ident = door.pass_through()
        with lock:
            working.pop()
        return ident

    futures = [request.submit(work) for request in requests]
    for request in requests:
        request.release()
    idents = {future.result(SECONDS) for future in futures}

    assert most == 3
    assert len(idents) == 3


def test_threads_are_lent_in_order_of_arrival(gate: Callable[[], Gate]) -> None:
    threads, busy = RequestThreads(1), gate()
    first, *others = [RequestThread(threads, nothing) for _ in range(6)]
    order: list[int] = []

    first.submit(busy.pass_through)
    futures = [
        request.submit(order.append, turn) for turn, request in enumerate(others)
    ]
    for request in reversed([first, *others]):
        request.release()
    assert busy.begun.wait(SECONDS) and order == []
    busy.opened.set()
    wait(futures, SECONDS)

    assert order == [0, 1, 2, 3, 4]


def test_a_thread_is_not_lent_while_the_last_request_s_work_is_on_it(
    gate: Callable[[], Gate],
) -> None:
    threads, abandoned = RequestThreads(2), gate()
    cancelled, second, third = [RequestThread(threads, nothing) for _ in range(3)]

    left_behind = cancelled.submit(abandoned.pass_through)
    assert abandoned.begun.wait(SECONDS)
    cancelled.release()
    idents = set()
    for request in (second, third):
        idents.add(request.submit(threading.get_ident).result(SECONDS))
        request.release()

    assert not left_behind.done()
    abandoned.opened.set()
    assert idents.isdisjoint({left_behind.result(SECONDS)})


def test_a_request_that_stopped_waiting_is_skipped(
    gate: Callable[[], Gate],
) -> None:
    threads, busy = RequestThreads(1), gate()
    first, impatient, patient = [RequestThread(threads, nothing) for _ in range(3)]
    ran: list[str] = []

    first.submit(busy.pass_through)
    given_up = impatient.submit(ran.append, "impatient")
    assert given_up.cancel()
    impatient.release()
    waited = patient.submit(ran.append, "patient")
    first.release()
    busy.opened.set()
    waited.result(SECONDS)

    assert ran == ["patient"]


def test_the_prelude_runs_first_and_once_on_the_request_s_thread() -> None:
    events: list[tuple[str, int]] = []

    def note(what: str) -> None:
        events.append((what, threading.get_ident()))

    request = RequestThread(RequestThreads(1), lambda: note("prelude"))
    for work in ("one", "two"):
        request.submit(note, work).result(SECONDS)
    request.release()

    assert [what for what, _ in events] == ["prelude", "one", "two"]
    assert len({ident for _, ident in events}) == 1


def test_the_prelude_runs_once_also_for_work_that_waited(
    gate: Callable[[], Gate],
) -> None:
    threads, busy = RequestThreads(1), gate()
    events: list[str] = []

    first = RequestThread(threads, nothing)
    first.submit(busy.pass_through)
    second = RequestThread(threads, lambda: events.append("prelude"))
    futures = [second.submit(events.append, work) for work in ("one", "two")]
    first.release()
    busy.opened.set()
    wait(futures, SECONDS)
    second.release()

    assert events == ["prelude", "one", "two"]


def test_a_failing_prelude_is_logged_and_the_work_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise LookupError("on purpose")

    request = RequestThread(RequestThreads(1), fail)
    done = request.submit(lambda: "done").result(SECONDS)
    request.release()

    assert done == "done"
    assert "A thread could not be prepared" in caplog.text
    assert "LookupError: on purpose" in caplog.text


def test_each_request_has_its_prelude_even_on_a_kept_thread() -> None:
    threads = RequestThreads(1)
    events: list[str] = []

    for name in ("a", "b"):
        request = RequestThread(threads, partial(events.append, f"begin {name}"))
        request.submit(events.append, name).result(SECONDS)
        request.release()

    assert events == ["begin a", "a", "begin b", "b"]


def test_a_request_that_never_blocks_borrows_nothing() -> None:
    threads, preludes = RequestThreads(1), []
    before = threading.active_count()

    idle = RequestThread(threads, lambda: preludes.append("idle"))
    idle.release()

    assert not idle.used
    assert preludes == []
    assert threading.active_count() == before
    # It does not block the only thread either.
    request = RequestThread(threads, nothing)
    request.submit(nothing).result(SECONDS)
    assert request.used
    request.release()


def test_a_kept_thread_is_lent_again_before_another_is_started() -> None:
    threads, idents = RequestThreads(4), set()

    for _ in range(10):
        request = RequestThread(threads, nothing)
        idents.add(request.submit(threading.get_ident).result(SECONDS))
        given_back: Future[None] = request.submit(nothing)
        request.release()
        given_back.result(SECONDS)

    # The last thread may not have been returned yet when the next request needs one.
    assert len(idents) <= 2


@pytest.mark.parametrize("error", [LookupError, SystemExit])
def test_an_error_reaches_its_caller_and_the_thread_remains_usable(
    error: type[BaseException],
) -> None:
    threads = RequestThreads(1)
    request = RequestThread(threads, nothing)

    def fail() -> None:
        raise error("on purpose")

    with pytest.raises(error, match="on purpose"):
        request.submit(fail).result(SECONDS)
    ident = request.submit(threading.get_ident).result(SECONDS)
    request.release()
    following = RequestThread(threads, nothing)

    assert following.submit(threading.get_ident).result(SECONDS) == ident
    following.release()


async def test_thread_sensitive_code_of_the_request_runs_on_its_thread() -> None:
    threads = RequestThreads(2)
    first, second = RequestThread(threads, nothing), RequestThread(threads, nothing)

    async def idents(request: RequestThread) -> set[int]:
        async with request:
            return set(
                await asyncio.gather(
                    *(sync_to_async(threading.get_ident)() for _ in range(5))
                )
            )

    of_first, of_second = await asyncio.gather(idents(first), idents(second))
    first.release()
    second.release()

    assert len(of_first) == len(of_second) == 1
    assert of_first.isdisjoint(of_second)
    assert threading.get_ident() not in of_first | of_second


async def test_code_after_the_request_does_not_run_on_its_thread() -> None:
    threads = RequestThreads(1)
    request = RequestThread(threads, nothing)
    over = asyncio.Event()

    async def outlive() -> threading.Thread:
        await over.wait()
        return await sync_to_async(threading.current_thread)()

    async with request:
        within = await sync_to_async(threading.current_thread)()
        task = asyncio.create_task(outlive())
        await asyncio.sleep(0)
    request.release()
    over.set()

    # Not their idents, which the system gives to another when one has ended.
    outlived = await asyncio.wait_for(task, SECONDS)
    assert outlived not in {within, threading.current_thread()}


async def test_after_the_request_blocking_code_runs_where_it_did_before() -> None:
    request = RequestThread(RequestThreads(1), nothing)

    before = await sync_to_async(threading.get_ident)()
    async with request:
        within = await sync_to_async(threading.get_ident)()
    request.release()
    after = await sync_to_async(threading.get_ident)()

    assert within != before
    assert after == before
