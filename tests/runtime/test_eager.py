"""When is a coroutine said to wait, and is it otherwise left as it is?"""

import asyncio

import pytest

from async_views.runtime.eager import noticing_the_first_wait


async def test_a_coroutine_that_ends_without_waiting_is_never_said_to_wait() -> None:
    waits: list[str] = []

    async def answer() -> int:
        return 42

    result = await noticing_the_first_wait(answer(), lambda: waits.append("waits"))

    assert result == 42
    assert waits == []


async def test_the_first_wait_is_noticed_once_and_before_it_is_waited() -> None:
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
async def test_an_error_comes_out_as_it_was_raised(waits_first: bool) -> None:
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
async def test_a_coroutine_may_answer_in_spite_of_a_cancellation(
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


async def test_what_notices_the_wait_runs_in_the_task_that_waits() -> None:
    tasks: list[asyncio.Task[object] | None] = []

    async def wait() -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)

    await noticing_the_first_wait(wait(), lambda: tasks.append(asyncio.current_task()))

    assert tasks == [asyncio.current_task()] * 2
