"""The timer rings once, at the time that was set last, and uses few timers of the loop."""

import asyncio
import gc
import weakref
from typing import Any

import pytest

from async_views.runtime.waiting.lazy_timer import LazyTimer

SECONDS = 0.03

either_loop = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])


class Rung:
    """A timer, and the times at which it rang."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.moments: list[float] = []
        self.timer = LazyTimer(self.loop, self.ring)

    def ring(self) -> None:
        self.moments.append(self.loop.time())


@either_loop
async def test_the_timer_rings_once_when_the_time_is_up() -> None:
    rung = Rung()
    began = rung.loop.time()

    rung.timer.start(SECONDS)
    assert rung.timer.is_started
    await asyncio.sleep(4 * SECONDS)

    [moment] = rung.moments
    assert moment >= began + SECONDS
    assert not rung.timer.is_started


@either_loop
async def test_a_restarted_timer_rings_at_the_last_time_set() -> None:
    rung = Rung()

    rung.timer.start(SECONDS)
    rung.timer.start(5 * SECONDS)
    await asyncio.sleep(2 * SECONDS)
    assert rung.moments == []
    began = rung.loop.time()
    rung.timer.start(SECONDS)
    await asyncio.sleep(8 * SECONDS)

    [moment] = rung.moments
    assert began + SECONDS <= moment < began + 5 * SECONDS


@either_loop
async def test_a_stopped_timer_does_not_ring() -> None:
    rung = Rung()

    rung.timer.start(SECONDS)
    rung.timer.stop()
    await asyncio.sleep(3 * SECONDS)

    assert rung.moments == []


async def test_repeated_starts_and_stops_use_one_timer_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rung = Rung()
    taken: list[float] = []
    call_at = rung.loop.call_at

    def noted(when: float, *arguments: Any, **named: Any) -> asyncio.TimerHandle:
        taken.append(when)
        return call_at(when, *arguments, **named)

    monkeypatch.setattr(rung.loop, "call_at", noted)

    for _ in range(100):
        rung.timer.start(60)
        rung.timer.stop()

    assert len(taken) == 1
    rung.timer.close()


@either_loop
async def test_a_closed_timer_does_not_ring_and_leaves_no_cycle() -> None:
    rung = Rung()
    rung.timer.start(SECONDS)
    rung.timer.close()
    moments, gone = rung.moments, weakref.ref(rung)

    gc.disable()
    try:
        del rung
        assert gone() is None
    finally:
        gc.enable()
    await asyncio.sleep(2 * SECONDS)
    assert moments == []
