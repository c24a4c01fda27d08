"""When a run hands in its requests: by a schedule, or as connections become free."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from async_api.load.generator.sending import schedule
from async_api.load.generator.sending.schedule import Hold
from async_api.load.generator.sending.waiting import Waiting
from async_api.load.plan.pace import is_paced
from async_api.load.plan.plan import Closed, Load, Rate

Issue = Callable[[int], None]
# A schedule that is late lets the loop read responses after as many requests.
LATE_IN_A_ROW = 8


class Sending(Protocol):
    """``issue`` is called with each request's planned time.

    Times are in nanoseconds of ``time.perf_counter_ns()``.
    """

    async def run(self, began: int) -> None:
        """Return when every request has an outcome and no further one is due."""

    def ended(self, now: int) -> None:
        """A request has an outcome."""

    def stop(self) -> None:
        """Issue no further request."""


def sending(load: Load, waiting: Waiting, issue: Issue, requests: int) -> Sending:
    """The way to send a load; a closed one ends after ``requests`` at the latest."""
    if is_paced(load):
        return OnSchedule(schedule.times(load), waiting, issue)
    assert not isinstance(load, Rate)
    if isinstance(load, Closed) and load.requests is not None:
        requests = min(requests, load.requests)
    return InTurn(schedule.holds(load), schedule.end(load), requests, waiting, issue)


class OnSchedule:
    """Issues each request at its planned time, or late, but never early."""

    def __init__(self, times: Iterator[int], waiting: Waiting, issue: Issue) -> None:
        self._times = times
        self._waiting = waiting
        self._issue = issue
        self._outstanding = 0
        self._stopped = False
        self._all_ended = asyncio.Event()
        self._all_issued = False

    async def run(self, began: int) -> None:
        late = 0
        for time in self._times:
            due = began + time
            if self._waiting.is_due(due):
                late += 1
                if late % LATE_IN_A_ROW == 0:
                    await asyncio.sleep(0)
            else:
                late = 0
                await self._waiting.until(due)
            if self._stopped:
                break
            self._outstanding += 1
            self._issue(due)
        self._all_issued = True
        if self._outstanding:
            await self._all_ended.wait()

    def ended(self, now: int) -> None:
        self._waiting.busy += 1
        self._outstanding -= 1
        if self._all_issued and not self._outstanding:
            self._all_ended.set()

    def stop(self) -> None:
        self._stopped = True


class InTurn:
    """Issues a request for each connection, and the next as the one before has ended."""

    def __init__(
        self,
        holds: Sequence[Hold],
        end: int | None,
        requests: int,
        waiting: Waiting,
        issue: Issue,
    ) -> None:
        self._holds = holds
        self._seconds = end
        self._left = requests
        self._waiting = waiting
        self._issue = issue
        self._end: int | None = None
        self._wanted = 0
        self._active = 0  # requests without an outcome
        self._none_active = asyncio.Event()

    async def run(self, began: int) -> None:
        if self._seconds is not None:
            self._end = began + self._seconds
        for start, connections in self._holds:
            await self._waiting.until(began + start)
            if self._left <= 0:
                break
            self._wanted = connections
            for _ in range(connections - self._active):
                self._active += 1
                self.ended(began + start)
        if self._active:
            self._none_active.clear()
            await self._none_active.wait()

    def ended(self, now: int) -> None:
        """A connection is free, for the next request if there is one."""
        if (
            self._left <= 0
            or self._active > self._wanted
            or (self._end is not None and now >= self._end)
        ):
            self._active -= 1
            if not self._active:
                self._none_active.set()
            return
        self._left -= 1
        self._issue(now)

    def stop(self) -> None:
        self._left = 0
