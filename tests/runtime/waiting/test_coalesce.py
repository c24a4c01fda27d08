"""Callers that wait together share a result, which is never older than their calls."""

import asyncio
import contextvars
import gc
import traceback
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from async_views.runtime.waiting.coalesce import (
    Batched,
    Coalesced,
    TooManyWaiting,
    Unanswered,
)

MOST = 1000
SECONDS = 60


@dataclass(eq=False)
class Query:
    """One query, which ends when the test sets its result."""

    arguments: tuple[int, ...]
    end: asyncio.Future[object] = field(default_factory=asyncio.Future)
    has_ended: bool = False


class Source:
    """Runs queries that end when the test says so, and records them."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self.begun = asyncio.Condition()

    async def fetch(self, *arguments: int) -> object:
        return await self.run(arguments)

    async def fetch_many(self, keys: Sequence[int]) -> Mapping[int, object]:
        answer = await self.run(tuple(keys))
        return {key: (key, answer) for key in keys if key >= 0}

    async def run(self, arguments: tuple[int, ...]) -> object:
        query = Query(arguments)
        self.queries.append(query)
        async with self.begun:
            self.begun.notify_all()
        try:
            return await query.end
        finally:
            query.has_ended = True

    async def started(self, number: int) -> Query:
        """The query of that number, counted from 0, as soon as it has begun."""
        async with asyncio.timeout(SECONDS), self.begun:
            await self.begun.wait_for(lambda: len(self.queries) > number)
        return self.queries[number]


async def settle() -> None:
    """Lets all tasks run until they wait for the test."""
    for _ in range(20):
        await asyncio.sleep(0)


def start(
    calls: Iterable[Coroutine[Any, Any, object]],
) -> list[asyncio.Task[object]]:
    return [asyncio.create_task(call) for call in calls]


async def outcomes(tasks: Sequence[asyncio.Task[object]]) -> list[object]:
    async with asyncio.timeout(SECONDS):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_single_call_starts_its_query_at_once() -> None:
    times: list[str] = []

    async def fetch() -> str:
        times.append("fetched")
        return "answer"

    coalesced = Coalesced(fetch, max_waiting=MOST)

    assert [await coalesced(), await coalesced()] == ["answer", "answer"]
    assert times == ["fetched", "fetched"]


async def test_a_call_during_a_query_shares_the_next_one() -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    first = start(coalesced() for _ in range(3))
    query = await source.started(0)
    later = start(coalesced() for _ in range(5))
    await settle()

    assert len(source.queries) == 1

    query.end.set_result("old")
    (await source.started(1)).end.set_result("new")

    assert await outcomes(first) == ["old"] * 3
    assert await outcomes(later) == ["new"] * 5
    assert len(source.queries) == 2


async def test_different_queries_run_at_the_same_time() -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    threes = start(coalesced(3, 20) for _ in range(2))
    fours = start(coalesced(4, 20) for _ in range(2))
    first, second = await source.started(0), await source.started(1)

    second.end.set_result("fours")
    first.end.set_result("threes")

    assert [first.arguments, second.arguments] == [(3, 20), (4, 20)]
    assert await outcomes(threes + fours) == ["threes"] * 2 + ["fours"] * 2


async def test_keys_that_wait_together_share_a_query_that_has_each_once() -> None:
    source = Source()
    batched = Batched(source.fetch_many, max_keys=10, max_waiting=MOST)

    tasks = start(batched(key) for key in (3, 1, 3, -1, 2))
    query = await source.started(0)
    query.end.set_result("seen")

    three, one, two = (3, "seen"), (1, "seen"), (2, "seen")
    assert await outcomes(tasks) == [three, one, three, None, two]
    assert query.arguments == (3, 1, -1, 2)
    assert len(source.queries) == 1


async def test_keys_beyond_the_limit_of_a_query_wait_for_the_next_in_order() -> None:
    source = Source()
    batched = Batched(source.fetch_many, max_keys=2, max_waiting=MOST)

    tasks = start(batched(key) for key in (5, 4, 3, 4, 2, 5, 1))
    for number in range(3):
        (await source.started(number)).end.set_result(number)

    answers = [(5, 0), (4, 0), (3, 1), (4, 0), (2, 1), (5, 0), (1, 2)]
    assert await outcomes(tasks) == answers
    assert [query.arguments for query in source.queries] == [(5, 4), (3, 2), (1,)]


async def test_a_cancelled_waiter_does_not_affect_the_others() -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    sharing = start(coalesced() for _ in range(3))
    query = await source.started(0)
    waiting = start(coalesced() for _ in range(3))
    await settle()

    for leaving in (sharing[0], waiting[0]):
        leaving.cancel()
    await settle()
    query.end.set_result("answer")
    (await source.started(1)).end.set_result("next answer")

    assert await outcomes(sharing[1:]) == ["answer"] * 2
    assert await outcomes(waiting[1:]) == ["next answer"] * 2
    assert sharing[0].cancelled() and waiting[0].cancelled()


async def test_a_query_without_waiters_is_cancelled_and_the_next_begins() -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    leaving = start(coalesced() for _ in range(3))
    query = await source.started(0)
    staying = start([coalesced()])
    await settle()

    for task in leaving:
        task.cancel()
    (await source.started(1)).end.set_result("answer")

    assert query.end.cancelled() and query.has_ended
    assert await outcomes(staying) == ["answer"]


async def test_the_next_query_waits_for_a_cancelled_one_to_clean_up() -> None:
    cleaned, events = asyncio.Event(), list[str]()
    begun = asyncio.Event()

    async def fetch() -> str:
        events.append("begins")
        if len(events) > 1:
            return "answer"
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await cleaned.wait()
            events.append("has cleaned up")
        return "never"

    coalesced = Coalesced(fetch, max_waiting=MOST)
    [leaving] = start([coalesced()])
    await begun.wait()
    leaving.cancel()
    await settle()
    coming = start(coalesced() for _ in range(2))
    await settle()

    assert events == ["begins"]

    cleaned.set()

    assert await outcomes(coming) == ["answer"] * 2
    assert events == ["begins", "has cleaned up", "begins"]


@pytest.mark.parametrize("steps_before_leaving", [0, 1, 2])
async def test_no_query_runs_without_waiters(steps_before_leaving: int) -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    [first] = start([coalesced()])
    query = await source.started(0)
    leaving = start(coalesced() for _ in range(3))
    await settle()

    query.end.set_result("answer")
    for _ in range(steps_before_leaving):
        await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    await settle()

    assert await outcomes([first]) == ["answer"]
    assert len(source.queries) == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_waiter_cancelled_before_the_query_is_not_part_of_it() -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    leaving = start(coalesced() for _ in range(2))

    # Both have called by now, and the query runs for the first time after this task.
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    await settle()

    assert source.queries == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_error_reaches_all_waiters_of_its_query_and_no_later_ones() -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    early = start(coalesced() for _ in range(3))
    query = await source.started(0)
    late = start(coalesced() for _ in range(2))
    await settle()
    error = LookupError("on purpose")

    query.end.set_exception(error)
    (await source.started(1)).end.set_result("answer")

    failures = await outcomes(early)
    assert all(isinstance(failure, Unanswered) for failure in failures)
    assert [getattr(failure, "__cause__", None) for failure in failures] == [error] * 3
    assert await outcomes(late) == ["answer"] * 2


async def test_no_waiter_s_error_shows_another_waiter_s_frames() -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)

    async def anne() -> object:
        return await coalesced()

    async def bert() -> object:
        return await coalesced()

    tasks = [asyncio.create_task(anne()), asyncio.create_task(bert())]
    (await source.started(0)).end.set_exception(LookupError("on purpose"))
    failures = await outcomes(tasks)

    first, second = (
        "".join(traceback.format_exception(failure))
        for failure in failures
        if isinstance(failure, BaseException)
    )
    assert failures[0] is not failures[1]
    assert "in anne" in first and "in bert" not in first
    assert "in bert" in second and "in anne" not in second
    assert "in run" in first and "on purpose" in first


async def test_an_error_after_its_waiter_was_cancelled_is_not_logged() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: complaints.append(context)
    )
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    for number in range(6):
        [leaving] = start([coalesced()])
        query = await source.started(number)

        query.end.set_exception(LookupError("on purpose"))
        for _ in range(number):
            await asyncio.sleep(0)
        leaving.cancel()
        await settle()

        assert leaving.done()
        del leaving, query
        source.queries[number] = Query(())
        gc.collect()

    assert complaints == []


@pytest.mark.parametrize("begun", [True, False], ids=["begun", "not begun"])
async def test_a_query_cancelled_by_other_code_ends_all_waits(
    begun: bool,
) -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=MOST)
    sharing = start(coalesced() for _ in range(2))
    if begun:
        await source.started(0)
    else:
        await asyncio.sleep(0)
    [query] = asyncio.all_tasks() - {*sharing, asyncio.current_task()}
    late = start([coalesced()])
    if begun:
        await settle()

    query.cancel()
    (await source.started(int(begun))).end.set_result("answer")

    ends = await outcomes(sharing)
    if begun:
        assert [type(end) for end in ends] == [Unanswered] * 2
        assert "CancelledError" in str(ends[0])
    else:
        assert ends == ["answer"] * 2
    assert await outcomes(late) == ["answer"]


async def test_a_query_that_fails_to_start_ends_all_waits() -> None:
    def fetch() -> Awaitable[object]:
        raise LookupError("on purpose")

    coalesced = Coalesced(fetch, max_waiting=MOST)

    [first, second] = await outcomes(start(coalesced() for _ in range(2)))

    assert isinstance(first, Unanswered) and isinstance(second, Unanswered)
    assert isinstance(first.__cause__, LookupError)


def test_the_end_of_the_loop_ends_all_waiters_and_queries() -> None:
    sources: list[Source] = []
    tasks: list[asyncio.Task[object]] = []

    async def leave_them_waiting() -> None:
        source = Source()
        sources.append(source)
        coalesced = Coalesced(source.fetch, max_waiting=MOST)
        tasks.extend(start(coalesced() for _ in range(2)))
        await source.started(0)
        tasks.extend(start(coalesced() for _ in range(2)))
        await settle()

    asyncio.run(leave_them_waiting())

    assert all(task.cancelled() for task in tasks)
    assert [query.has_ended for query in sources[0].queries] == [True]


@pytest.mark.parametrize("lines", [1, 4])
async def test_the_number_of_waiters_of_all_queries_is_bounded(lines: int) -> None:
    source = Source()
    coalesced = Coalesced(source.fetch, max_waiting=4)
    tasks = start(coalesced(number % lines) for number in range(4))
    await settle()

    with pytest.raises(TooManyWaiting) as refusal:
        await asyncio.wait_for(coalesced(99), SECONDS)
    with pytest.raises(TooManyWaiting):
        await asyncio.wait_for(coalesced(0), SECONDS)

    for number in range(lines):
        (await source.started(number)).end.set_result("answer")
    assert await outcomes(tasks) == ["answer"] * 4
    assert refusal.value.limit == 4
    [again] = start([coalesced(99)])
    (await source.started(lines)).end.set_result("room again")
    assert await outcomes([again]) == ["room again"]


async def test_queries_that_are_slow_to_cancel_are_bounded_too() -> None:
    begun, may_end = list[int](), asyncio.Event()

    async def fetch(arguments: int) -> None:
        begun.append(arguments)
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()

    coalesced = Coalesced(fetch, max_waiting=2)
    for arguments in range(2):
        [leaving] = start([coalesced(arguments)])
        await settle()
        leaving.cancel()
        await settle()

    with pytest.raises(TooManyWaiting):
        await asyncio.wait_for(coalesced(3), SECONDS)

    may_end.set()
    await settle()
    assert begun == [0, 1]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_query_does_not_see_the_context_of_waiters_or_other_queries() -> None:
    variable = contextvars.ContextVar("variable", default="nobody's")
    seen: list[str] = []

    async def fetch() -> None:
        seen.append(variable.get())
        variable.set("the query's")
        await asyncio.sleep(0)

    coalesced = Coalesced(fetch, max_waiting=MOST)

    async def call() -> None:
        variable.set("a waiter's")
        await coalesced()
        assert variable.get() == "a waiter's"

    waiting = [asyncio.create_task(call()) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(call()) for _ in range(2)]
    await asyncio.gather(*waiting)

    assert seen == ["nobody's"] * 2


class Kept:
    """An object for weak references."""


@pytest.mark.parametrize("fails", [False, True], ids=["answered", "failed"])
async def test_after_many_calls_nothing_is_kept(fails: bool) -> None:
    kept: list[weakref.ref[Kept]] = []
    variable: contextvars.ContextVar[Kept] = contextvars.ContextVar("variable")

    def keep() -> Kept:
        made = Kept()
        kept.append(weakref.ref(made))
        return made

    async def fetch(arguments: Kept) -> Kept:
        await asyncio.sleep(0)
        if fails:
            raise LookupError(arguments)
        return keep()

    async def fetch_many(keys: Sequence[Kept]) -> dict[Kept, Kept]:
        return {key: await fetch(key) for key in keys}

    coalesced = Coalesced(fetch, max_waiting=MOST)
    batched = Batched(fetch_many, max_keys=7, max_waiting=MOST)

    async def storm() -> None:
        keys = [keep() for _ in range(20)]

        async def call(arguments: Kept) -> None:
            variable.set(keep())
            for _ in range(3):
                for shared in (coalesced, batched):
                    try:
                        await shared(arguments)
                    except Unanswered:
                        pass

        tasks = [asyncio.create_task(call(each)) for each in keys * 5]
        for _ in range(3):
            await asyncio.sleep(0)
        for leaving in tasks[::7]:
            leaving.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    await storm()
    await settle()
    gc.collect()

    assert len(kept) > 100
    assert [reference() for reference in kept if reference() is not None] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@dataclass(eq=False)
class Call:
    """One call of the model, and how many queries had begun before it."""

    key: int
    begun_before: int
    task: asyncio.Task[object]
    left: bool = False


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 3)),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("answer"), st.integers(0, 3)),
        st.tuples(st.just("fail"), st.integers(0, 3)),
        st.tuples(st.just("turn"), st.integers(1, 4)),
    ),
    max_size=40,
)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("max_keys", [None, 2, 10])
def test_the_guarantees_hold_for_any_order_of_events(
    max_keys: int | None, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Tests Coalesced without `max_keys`, and Batched with it."""

    async def play(steps: list[tuple[str, int]]) -> None:
        source, made = Source(), list[Call]()

        def check_that_a_caller_waits(keys: Sequence[int]) -> None:
            # The error is raised in the query, whose failure no waiter expects.
            assert any(each.key in keys for each in made if not each.left)

        async def fetch(key: int) -> object:
            check_that_a_caller_waits([key])
            return await source.fetch(key)

        async def fetch_many(keys: Sequence[int]) -> Mapping[int, object]:
            check_that_a_caller_waits(keys)
            return await source.fetch_many(keys)

        call: Callable[[int], Coroutine[Any, Any, object]]
        if max_keys is None:
            call = Coalesced(fetch, max_waiting=MOST)
        else:
            call = Batched(fetch_many, max_keys=max_keys, max_waiting=MOST)

        def under_way() -> list[Query]:
            return [query for query in source.queries if not query.end.done()]

        def check_one_at_a_time() -> None:
            running = [each for each in source.queries if not each.has_ended]
            lines = {each.arguments if max_keys is None else None for each in running}
            assert len(running) == len(lines)

        for step, number in steps:
            if step == "call":
                task = asyncio.create_task(call(number))
                made.append(Call(number, len(source.queries), task))
            elif step == "leave" and number < len(made):
                made[number].left |= made[number].task.cancel()
            elif step in {"answer", "fail"} and number < len(under_way()):
                query = under_way()[number]
                its_number = source.queries.index(query)
                if step == "answer":
                    query.end.set_result(its_number)
                else:
                    query.end.set_exception(LookupError(its_number))
            elif step == "turn":
                for _ in range(number):
                    await asyncio.sleep(0)
            check_one_at_a_time()
        await settle()
        while under_way():
            for query in under_way():
                query.end.set_result(source.queries.index(query))
            await settle()
            check_one_at_a_time()

        index: Any
        for each in made:
            assert each.task.done()
            if each.left:
                continue
            failure = each.task.exception()
            if failure is not None:
                assert isinstance(failure, Unanswered)
                assert isinstance(failure.__cause__, LookupError)
                index = failure.__cause__.args[0]
            else:
                answer = each.task.result()
                index = answer[1] if isinstance(answer, tuple) else answer
                assert answer == (index if max_keys is None else (each.key, index))
            assert index >= each.begun_before
            assert each.key in source.queries[index].arguments
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @settings(max_examples=2 * settings().max_examples, deadline=None)
    @given(STEPS)
    def model(steps: list[tuple[str, int]]) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(play(steps))

    model()
