"""How late is an event loop, and when did it answer nobody?"""

import asyncio
from dataclasses import dataclass
from typing import Self

from async_api.bridges.recording import Recording

INTERVAL = 10_000  # microseconds
# A garbage collection or another process costs this much on a healthy machine.
TOLERATED_LAG = 20_000  # microseconds


@dataclass(frozen=True, slots=True)
class Stall:
    """When the loop should have answered, and when it did; microseconds of the run."""

    start: int
    end: int


class Heartbeat:
    """Asks to be called a hundred times a second, and notes by how much it was too late."""

    def __init__(self, recording: Recording) -> None:
        self.worst_lag = 0  # microseconds
        self.stalls: list[Stall] = []
        self._recording = recording
        self._due = 0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._wait()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._timer is not None
        self._timer.cancel()
        # The last one may be overdue: whoever blocked the loop ended the run with it.
        self._note()

    def _beat(self) -> None:
        self._note()
        self._wait()

    def _wait(self) -> None:
        self._due = self._recording.now() + INTERVAL
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(INTERVAL / 1_000_000, self._beat)

    def _note(self) -> None:
        now = self._recording.now()
        lag = now - self._due
        self.worst_lag = max(self.worst_lag, lag)
        if lag > TOLERATED_LAG:
            self.stalls.append(Stall(self._due, now))
