"""The timer calls its function with each waiter that has not stopped in time."""

import asyncio

from async_views.runtime.waiting.shared_timer import SharedTimer

SECONDS = 0.02


class Rung:
    """Records the waiters that were called, and the event loop's time of each call."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.moments: dict[str, float] = {}
        self.heard = asyncio.Event()
        self.timer = SharedTimer(self.loop, SECONDS, self)

    def __call__(self, waiter: str) -> None:
        assert waiter not in self.moments
        self.moments[waiter] = self.loop.time()
        self.heard.set()

    async def until(self, *waiters: str) -> None:
        while not self.moments.keys() >= set(waiters):
            self.heard.clear()
            await self.heard.wait()


async def test_a_waiter_is_called_when_its_time_is_up() -> None:
    rung = Rung()
    began = rung.loop.time()

    rung.timer.start("patient")
    await rung.until("patient")

    assert rung.moments["patient"] >= began + SECONDS


async def test_a_stopped_waiter_is_not_called() -> None:
    rung = Rung()
    for waiter in ("first", "impatient", "last"):
        rung.timer.start(waiter)

    rung.timer.stop("impatient")
    await rung.until("first", "last")

    assert list(rung.moments) == ["first", "last"]


async def test_a_later_waiter_waits_as_long() -> None:
    rung = Rung()
    rung.timer.start("first")
    await asyncio.sleep(SECONDS / 2)
    began = rung.loop.time()

    rung.timer.start("second")
    await rung.until("first", "second")

    assert rung.moments["second"] >= began + SECONDS


async def test_a_waiter_after_all_others_have_gone_is_called_too() -> None:
    rung = Rung()
    rung.timer.start("first")
    await rung.until("first")

    rung.timer.start("second")
    await rung.until("second")

    assert list(rung.moments) == ["first", "second"]


async def test_a_waiter_that_starts_while_others_are_called_is_called_too() -> None:
    rung = Rung()

    def ring(waiter: str) -> None:
        rung(waiter)
        if waiter == "first":
            timer.start("second")

    timer = SharedTimer(rung.loop, SECONDS, ring)
    timer.start("first")
    await rung.until("first", "second")

    assert rung.moments["second"] >= rung.moments["first"] + SECONDS


async def test_a_waiter_that_stops_while_others_are_called_is_not_called() -> None:
    rung = Rung()

    def ring(waiter: str) -> None:
        rung(waiter)
        timer.stop("second")

    timer = SharedTimer(rung.loop, SECONDS, ring)
    for waiter in ("first", "second", "third"):
        timer.start(waiter)
    await rung.until("first", "third")

    assert list(rung.moments) == ["first", "third"]


async def test_stopping_twice_or_after_the_call_does_nothing() -> None:
    rung = Rung()
    rung.timer.start("first")
    await rung.until("first")

    for _ in range(2):
        rung.timer.stop("first")
    rung.timer.stop("unknown")

    assert list(rung.moments) == ["first"]
