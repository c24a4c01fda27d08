"""The generator's condition, sampled once a second."""

import asyncio
import gc
import time
from collections.abc import Callable
from time import perf_counter_ns

from async_api.load.generator import health
from async_api.load.generator.health import Health
from async_api.load.generator.sending.schedule import SECOND
from async_api.load.generator.sending.waiting import Waiting
from async_api.load.run import Second


def seconds_with(
    work: Callable[[], None], waiting: Waiting | None = None
) -> list[Second]:
    """The samples of a little more than a second, in the middle of which work is done."""

    async def scenario() -> list[Second]:
        sampled = asyncio.Event()
        own = Health(waiting or Waiting(), lambda: (3, 2), sampled.set)
        own.start(perf_counter_ns())
        await asyncio.sleep(0.1)
        work()
        await sampled.wait()
        own.stop()
        return own.seconds

    return asyncio.run(scenario())


def test_each_second_has_a_sample_and_the_rest_at_the_end_another() -> None:
    seconds = seconds_with(lambda: None)

    assert len(seconds) == 2
    assert (seconds[0].connections, seconds[0].in_use) == (3, 2)


def test_processor_time_is_that_of_the_process() -> None:
    def work() -> None:
        until = time.process_time_ns() + SECOND // 10
        while time.process_time_ns() < until:
            pass

    assert seconds_with(work)[0].cpu >= 100_000


def test_a_loop_that_is_held_up_is_late() -> None:
    first = seconds_with(lambda: time.sleep(0.3))[0]

    assert first.lag >= 200_000


def test_collections_are_timed() -> None:
    cycles = []
    for _ in range(200_000):
        cycle: list[object] = []
        cycle.append(cycle)
        cycles.append(cycle)

    def work() -> None:
        cycles.clear()
        gc.collect()

    callbacks = len(gc.callbacks)
    assert seconds_with(work)[0].collecting > 0
    assert len(gc.callbacks) == callbacks


def test_spinning_is_never_more_than_the_processor_time() -> None:
    waiting = Waiting()

    def work() -> None:
        waiting.spinning += 3600 * SECOND

    first = seconds_with(work, waiting)[0]

    assert first.spinning == first.cpu


def test_seconds_in_which_the_loop_never_ran_are_not_missing() -> None:
    assert len(seconds_with(lambda: time.sleep(2.2))) >= 3


def test_steal_and_queued_times_only_grow() -> None:
    before = health.steal(), health.queued()

    assert health.steal() >= before[0] >= 0
    assert health.queued() >= before[1] >= 0
