import asyncio
from contextlib import closing

import pytest

from async_views.runtime.waiting.deadline import Deadline
from tests.support.site import PATIENCE

LONG = 60.0


async def test_a_block_that_takes_too_long_raises_a_timeout() -> None:
    with closing(Deadline()) as deadline:
        with pytest.raises(TimeoutError), deadline.within(0.05):
            await asyncio.sleep(LONG)


async def test_a_block_that_ends_in_time_is_not_cancelled() -> None:
    with closing(Deadline()) as deadline:
        with deadline.within(0.05):
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)


async def test_a_later_block_has_its_own_time() -> None:
    loop = asyncio.get_running_loop()
    with closing(Deadline()) as deadline:
        with deadline.within(0.1):
            await asyncio.sleep(0.05)
        began = loop.time()
        with pytest.raises(TimeoutError), deadline.within(0.1):
            await asyncio.sleep(LONG)

    assert 0.1 <= loop.time() - began < 0.5


async def test_a_shorter_time_than_the_previous_one_counts() -> None:
    loop = asyncio.get_running_loop()
    with closing(Deadline()) as deadline:
        with deadline.within(LONG):
            pass
        began = loop.time()
        with pytest.raises(TimeoutError), deadline.within(0.05):
            await asyncio.sleep(LONG)

    assert loop.time() - began < PATIENCE


async def test_one_deadline_can_expire_repeatedly() -> None:
    with closing(Deadline()) as deadline:
        for _ in range(3):
            with pytest.raises(TimeoutError), deadline.within(0.02):
                await asyncio.sleep(LONG)


async def test_an_error_in_the_block_is_raised_unchanged() -> None:
    with closing(Deadline()) as deadline:
        with pytest.raises(LookupError), deadline.within(LONG):
            raise LookupError


async def test_cancelling_the_task_is_not_a_timeout() -> None:
    async def work() -> None:
        with closing(Deadline()) as deadline, deadline.within(LONG):
            await asyncio.sleep(LONG)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_a_cancellation_at_the_deadline_is_not_lost() -> None:
    async def work() -> None:
        with closing(Deadline()) as deadline, deadline.within(0.01):
            try:
                await asyncio.sleep(LONG)
            finally:
                # The deadline has expired; now other code cancels the task before the block ends.
                task.cancel()

    task = asyncio.create_task(work())
    await asyncio.wait([task])

    assert task.cancelled()


async def test_closing_leaves_no_timer_that_cancels() -> None:
    with closing(Deadline()) as deadline:
        with deadline.within(0.01):
            pass
    await asyncio.sleep(0.05)

    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
