"""Waits for planned times, without a network."""

import asyncio
from time import perf_counter_ns

import uvloop

from async_api.load.generator.sending.schedule import SECOND
from async_api.load.generator.sending.waiting import Waiting

MS = SECOND // 1000


def test_a_wait_never_ends_early() -> None:
    async def early() -> list[int]:
        waiting = Waiting()
        left = []
        for milliseconds in (1, 3, 5, 7, 2, 4):
            due = perf_counter_ns() + milliseconds * MS
            await waiting.until(due)
            left.append(due - perf_counter_ns())
        return left

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert max(runner.run(early())) <= 0


def test_other_tasks_run_while_it_yields() -> None:
    async def turns() -> int:
        count = 0

        async def work() -> None:
            nonlocal count
            while True:
                count += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(work())
        await Waiting().until(perf_counter_ns() + MS)
        task.cancel()
        return count

    assert asyncio.run(turns()) > 1


def test_turns_in_which_nothing_happens_are_counted_as_spinning() -> None:
    async def spinning(work: bool) -> int:
        waiting = Waiting()

        async def respond() -> None:
            while work:
                waiting.busy += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(respond())
        await waiting.until(perf_counter_ns() + MS)
        task.cancel()
        return waiting.spinning

    assert 0 < asyncio.run(spinning(work=False)) <= 100 * MS
    assert asyncio.run(spinning(work=True)) == 0


def test_a_long_wait_ends_when_it_is_stopped() -> None:
    async def stopped() -> None:
        waiting = Waiting()
        task = asyncio.create_task(waiting.until(perf_counter_ns() + 1000 * SECOND))
        await asyncio.sleep(0)
        waiting.stopped = True
        async with asyncio.timeout(30):
            await task

    asyncio.run(stopped())
