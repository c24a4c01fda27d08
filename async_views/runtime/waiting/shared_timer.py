"""One timer for many that wait equally long, most of which stop before it rings."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Generic, TypeVar

from async_views.runtime.waiting.lazy_timer import LazyTimer

Waiter = TypeVar("Waiter")


class SharedTimer(Generic[Waiter]):
    """Calls `ring` with each waiter that has not stopped within `seconds`.

    It belongs to `loop`, and is to be used on its thread only.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        seconds: float,
        ring: Callable[[Waiter], object],
    ) -> None:
        self.loop = loop
        self._seconds = seconds
        self._ring = ring
        # Sorted by time, as all wait equally long.
        self._due: dict[Waiter, float] = {}
        self._timer = LazyTimer(loop, self._ring_for_those_due)

    def start(self, waiter: Waiter) -> None:
        self._due[waiter] = self.loop.time() + self._seconds
        if not self._timer.is_started:
            self._timer.start(self._seconds)

    def stop(self, waiter: Waiter) -> None:
        """Does nothing for a waiter that was already called or never started."""
        self._due.pop(waiter, None)

    def _ring_for_those_due(self) -> None:
        now = self.loop.time()
        due = [waiter for waiter, moment in self._due.items() if moment <= now]
        for waiter in due:
            # Ringing for one may have stopped another.
            if self._due.pop(waiter, None) is not None:
                self._ring(waiter)
        if self._due:
            self._timer.start(next(iter(self._due.values())) - now)
