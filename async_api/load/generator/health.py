"""The generator's own condition, second by second: what else can explain its figures."""

import asyncio
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

from async_api.load.generator.sending.schedule import SECOND
from async_api.load.generator.sending.waiting import Waiting
from async_api.load.run import Second

# Few enough not to be a load, and enough to notice a loop that is late.
TICK = SECOND // 20
_STAT = Path("/proc/stat")
_SCHEDSTAT = Path("/proc/self/schedstat")


class Figures(NamedTuple):
    """What only ever grows, in nanoseconds."""

    cpu: int
    steal: int
    collecting: int
    spinning: int
    queued: int


class Health:
    """Samples once a second from `start` to `stop`.

    ``connections`` returns how many are open and how many are in use. ``each_second`` is
    called after each sample.
    """

    def __init__(
        self,
        waiting: Waiting,
        connections: Callable[[], tuple[int, int]],
        each_second: Callable[[], None],
    ) -> None:
        self.seconds: list[Second] = []
        self._waiting = waiting
        self._connections = connections
        self._each_second = each_second
        self._collecting = 0
        self._collection_began = 0
        self._lag = 0
        self._tick = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self, began: int) -> None:
        self._began = began
        self._waiting.longest_turn = 0
        gc.callbacks.append(self._collection)
        self._before = self._figures()
        self._schedule()

    def stop(self) -> None:
        """Sample what has passed of the last second."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        gc.callbacks.remove(self._collection)
        self._sample()

    def _schedule(self) -> None:
        self._tick += 1
        self._due = self._began + self._tick * TICK
        delay = max(0, self._due - perf_counter_ns()) / SECOND
        self._timer = asyncio.get_running_loop().call_later(delay, self._ticked)

    def _ticked(self) -> None:
        now = perf_counter_ns()
        self._lag = max(self._lag, now - self._due)
        passed = (now - self._began) // SECOND
        if passed > len(self.seconds):
            self._sample()
            # A second in which the loop never ran has the same figures as the next.
            while passed > len(self.seconds):
                self.seconds.append(self.seconds[-1])
            self._each_second()
        self._tick = max(self._tick, (now - self._began) // TICK)
        self._schedule()

    def _sample(self) -> None:
        after = self._figures()
        passed = [
            (new - old) // 1000 for new, old in zip(after, self._before, strict=True)
        ]
        self._before = after
        opened, in_use = self._connections()
        self.seconds.append(
            Second(
                cpu=passed[0],
                steal=passed[1],
                collecting=passed[2],
                lag=max(self._lag, self._waiting.longest_turn, 0) // 1000,
                connections=opened,
                in_use=in_use,
                spinning=min(passed[3], passed[0]),
                queued=passed[4],
            )
        )
        self._lag = self._waiting.longest_turn = 0

    def _figures(self) -> Figures:
        return Figures(
            time.process_time_ns(),
            steal(),
            self._collecting,
            self._waiting.spinning,
            queued(),
        )

    def _collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collection_began = perf_counter_ns()
        elif self._collection_began:
            self._collecting += perf_counter_ns() - self._collection_began


def steal() -> int:
    """Time that the hypervisor gave to others, of one processor on average; or 0."""
    try:
        with _STAT.open() as file:
            fields = file.readline().split()
        ticks = int(fields[8])
    except (OSError, IndexError, ValueError):
        return 0
    return ticks * SECOND // os.sysconf("SC_CLK_TCK") // (os.cpu_count() or 1)


def queued() -> int:
    """Time in which this thread could have run, but had no processor; or 0."""
    try:
        return int(_SCHEDSTAT.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
