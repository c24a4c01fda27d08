"""How do thousands wait for the same time to pass, most of them in vain?

A timer of the event loop's own for each costs more to start and stop than what most
waits are for. Here one timer rings for the first of all who wait.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter")


class SharedTimer(Generic[Waiter]):
    """Calls `ring` with each waiter that has not stopped in so many `seconds`.

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
        # In the order of their times, as all wait equally long.
        self._due: dict[Waiter, float] = {}
        self._armed = False

    def start(self, waiter: Waiter) -> None:
        self._due[waiter] = self.loop.time() + self._seconds
        if not self._armed:
            self._arm(self._seconds)

    def stop(self, waiter: Waiter) -> None:
        """Nothing, for one that has been rung for or never started."""
        self._due.pop(waiter, None)

    def _arm(self, seconds: float) -> None:
        self._armed = True
        self.loop.call_later(seconds, self._ring_for_those_due)

    def _ring_for_those_due(self) -> None:
        self._armed = False
        now = self.loop.time()
        due = [waiter for waiter, moment in self._due.items() if moment <= now]
        for waiter in due:
            # Ringing for one may have stopped another.
            if self._due.pop(waiter, None) is not None:
                self._ring(waiter)
        if self._due and not self._armed:
            self._arm(next(iter(self._due.values())) - now)
