"""The lag of an event loop: how late it runs what is scheduled."""

import asyncio
import time
from typing import Self

INTERVAL_SECONDS = 0.01
# A garbage collection or another process costs this much on a healthy machine.
TOLERATED_SECONDS = 0.02


class LoopLag:
    """Measures the lag of the running event loop, a hundred times a second.

    Enter it with `with`. Afterwards `worst` is the longest lag in seconds, and `stalls`
    are the times when the loop should have called and when it did, for each lag that was
    longer than TOLERATED_SECONDS; both times are those of `time.perf_counter`.
    """

    def __init__(self) -> None:
        self.worst = 0.0
        self.stalls: list[tuple[float, float]] = []
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._wait()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._timer is not None
        self._timer.cancel()
        # This call may be overdue: what blocks the loop may end the block as well.
        self._note()

    def _called(self) -> None:
        self._note()
        self._wait()

    def _wait(self) -> None:
        # Not the loop's clock, which uvloop reads once a turn.
        self._due = time.perf_counter() + INTERVAL_SECONDS
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(INTERVAL_SECONDS, self._called)

    def _note(self) -> None:
        now = time.perf_counter()
        lag = now - self._due
        self.worst = max(self.worst, lag)
        if lag > TOLERATED_SECONDS:
            self.stalls.append((self._due, now))
