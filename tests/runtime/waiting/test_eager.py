"""A coroutine's first suspension is noticed, and it is otherwise unchanged."""

import asyncio

import pytest

from async_views.runtime.waiting.eager import begun, noticing_the_first_wait


async def test_a_coroutine_that_ends_without_waiting_is_not_reported() -> None:
    waits: list[str] = []

    async def answer() -> int:
        return 42

    result = await noticing_the_first_wait(answer(), lambda: waits.append("waits"))

    assert result == 42
    assert waits == []


async def test_the_first_wait_is_reported_once_before_it_begins() -> None:
    events: list[str] = []

    async def wait_twice() -> str:
        events.append("begins")
        await asyncio.sleep(0)
        events.append("resumes")
        await asyncio.sleep(0)
        return "done"

    result = await noticing_the_first_wait(wait_twice(), lambda: events.append("waits"))

    assert result == "done"
    assert events == ["begins", "waits", "resumes"]


@pytest.mark.parametrize("waits_first", [False, True])
async def test_an_error_is_raised_unchanged(waits_first: bool) -> None:
    error = LookupError("on purpose")

    async def fail() -> None:
        if waits_first:
            await asyncio.sleep(0)
        raise error

    with pytest.raises(LookupError) as raised:
        await noticing_the_first_wait(fail(), lambda: None)

    assert raised.value is error


@pytest.mark.parametrize("waits_again_when_cancelled", [0, 1, 3])
async def test_a_cancellation_reaches_the_coroutine_at_every_wait(
    waits_again_when_cancelled: int,
) -> None:
    waiting = asyncio.Event()
    cancellations = 0

    async def wait_stubbornly() -> str:
        nonlocal cancellations
        while True:
            try:
                waiting.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancellations += 1
                if cancellations > waits_again_when_cancelled:
                    raise

    async def wait() -> None:
        await noticing_the_first_wait(wait_stubbornly(), lambda: None)

    task = asyncio.create_task(wait())
    for _ in range(waits_again_when_cancelled + 1):
        await waiting.wait()
        waiting.clear()
        task.cancel()
    await asyncio.wait([task], timeout=5)

    assert task.cancelled()
    assert cancellations == waits_again_when_cancelled + 1


@pytest.mark.parametrize("waits_again", [False, True])
async def test_a_coroutine_may_return_in_spite_of_a_cancellation(
    waits_again: bool,
) -> None:
    waiting = asyncio.Event()

    async def answer_when_cancelled() -> str:
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if waits_again:
                await asyncio.sleep(0)
            return "cleaned up"
        return "never"

    async def answer() -> str:
        return await noticing_the_first_wait(answer_when_cancelled(), lambda: None)

    task = asyncio.create_task(answer())
    await waiting.wait()
    task.cancel()

    assert await asyncio.wait_for(task, 5) == "cleaned up"


async def test_a_timeout_inside_the_coroutine_stays_inside() -> None:
    async def give_up() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            await asyncio.sleep(0)
            return "gave up"
        return "never"

    assert await noticing_the_first_wait(give_up(), lambda: None) == "gave up"


async def test_the_wait_is_reported_in_the_task_that_waits() -> None:
    tasks: list[asyncio.Task[object] | None] = []

    async def wait() -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)

    await noticing_the_first_wait(wait(), lambda: tasks.append(asyncio.current_task()))

    assert tasks == [asyncio.current_task()] * 2


async def test_a_coroutine_that_ends_without_waiting_needs_no_task() -> None:
    steps: list[str] = []

    async def work() -> None:
        steps.append("done")

    assert begun(work()) is None
    assert steps == ["done"]


@pytest.mark.parametrize("waits", [1, 2])
async def test_another_task_may_finish_the_coroutine(waits: int) -> None:
    free, steps = asyncio.Event(), ["begins"]

    async def work() -> None:
        for _ in range(waits):
            await free.wait()
            steps.append("waited")

    rest = begun(work())
    assert rest is not None

    async def finish() -> None:
        await rest

    steps.append("another task")
    task = asyncio.create_task(finish())
    free.set()
    await task

    assert steps == ["begins", "another task", *["waited"] * waits]


async def test_the_wait_may_end_before_the_rest_is_awaited() -> None:
    free = asyncio.Event()

    async def work() -> None:
        await free.wait()

    rest = begun(work())
    free.set()
    await asyncio.sleep(0)

    assert rest is not None
    await asyncio.wait_for(rest, 5)


async def test_an_error_before_the_first_wait_is_raised_at_once() -> None:
    async def fail() -> None:
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        begun(fail())


async def test_the_rest_can_be_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    rest = begun(work())
    assert rest is not None

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await rest
    assert ended == ["cleaned up"]
