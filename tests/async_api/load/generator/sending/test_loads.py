"""When requests are handed in, seen by a list instead of a network."""

import asyncio
from time import perf_counter_ns

from async_api.load.generator.sending.loads import Sending, sending
from async_api.load.generator.sending.schedule import SECOND
from async_api.load.generator.sending.waiting import Waiting
from async_api.load.plan.plan import Closed, Load, Rate, Steps

MANY = 1_000_000


def load_of(load: Load, requests: int = MANY) -> tuple[Sending, list[int]]:
    issued: list[int] = []
    return sending(load, Waiting(), issued.append, requests), issued


async def begun(load: Sending, began: int) -> "asyncio.Task[None]":
    task = asyncio.create_task(load.run(began))
    await asyncio.sleep(0)
    return task


def test_a_closed_load_issues_the_next_request_before_the_end_of_one_returns() -> None:
    async def scenario() -> None:
        load, issued = load_of(Closed(connections=2, requests=4))
        began = perf_counter_ns()
        task = await begun(load, began)
        assert issued == [began, began]

        load.ended(began + 5)

        assert issued == [began, began, began + 5]
        for time in (6, 7, 8):
            load.ended(began + time)
        await task
        assert issued == [began, began, began + 5, began + 6]

    asyncio.run(scenario())


def test_a_closed_load_issues_nothing_after_its_seconds_and_awaits_what_is_under_way() -> (
    None
):
    async def scenario() -> None:
        load, issued = load_of(Closed(connections=2, seconds=3))
        began = perf_counter_ns()
        task = await begun(load, began)

        load.ended(began + 3 * SECOND - 1)
        load.ended(began + 3 * SECOND)

        assert issued == [began, began, began + 3 * SECOND - 1]
        assert not task.done()
        load.ended(began + 4 * SECOND)
        await task

    asyncio.run(scenario())


def test_a_closed_load_ends_at_the_limit_of_requests() -> None:
    async def scenario() -> None:
        load, issued = load_of(Closed(connections=1, seconds=3), requests=2)
        began = perf_counter_ns()
        task = await begun(load, began)
        load.ended(began + 1)
        load.ended(began + 2)
        await task
        assert issued == [began, began + 1]

    asyncio.run(scenario())


def test_steps_of_connections_add_and_retire_them() -> None:
    async def scenario() -> None:
        load, issued = load_of(
            Steps(of="connections", values=(1, 3, 1), seconds=0.05, connections=3)
        )
        began = perf_counter_ns()
        second = began + SECOND // 20
        task = await begun(load, began)
        while len(issued) < 3:
            await asyncio.sleep(0)
        assert issued == [began, second, second]
        while perf_counter_ns() < began + SECOND // 10:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)

        # In the third step, two of the three connections are not used again.
        for _ in range(3):
            load.ended(began + SECOND // 10)

        assert len(issued) == 4
        load.ended(began + SECOND)
        await task

    asyncio.run(scenario())


def test_a_rate_issues_all_its_requests_whatever_becomes_of_them() -> None:
    async def scenario() -> None:
        load, issued = load_of(Rate(rate=1000, seconds=0.05, connections=1))
        began = perf_counter_ns()
        task = await begun(load, began)
        while len(issued) < 50:
            await asyncio.sleep(0)
        assert issued == [began + each * SECOND // 1000 for each in range(50)]
        assert not task.done()

        for _ in range(50):
            load.ended(began)

        await task

    asyncio.run(scenario())


def test_a_late_schedule_lets_the_loop_do_other_work() -> None:
    async def scenario() -> None:
        load, issued = load_of(Rate(rate=1000, seconds=1, connections=1))
        task = await begun(load, perf_counter_ns() - 10 * SECOND)

        assert 0 < len(issued) < 100
        load.stop()
        for _ in issued:
            load.ended(0)
        await task

    asyncio.run(scenario())
