"""Waits for a planned time to the nanosecond, and keeps account of the processor it uses.

Timers of event loops are rounded to milliseconds, and uvloop's may fire one early. So a
wait sleeps until shortly before its time, and then yields to the loop until it has come.
"""

import asyncio
from time import perf_counter_ns

from async_api.load.generator.sending.schedule import SECOND

EARLY = 2_000_000
# A turn of the loop that takes longer did other work, or had no processor.
LONGEST_IDLE_TURN = 100_000
# A wait notices after that time that it is to be given up.
LONGEST_SLEEP = 100_000_000


class Waiting:
    """The waits of one run. Times are in nanoseconds of ``time.perf_counter_ns()``.

    ``busy`` is to be increased by whoever works, so that turns of the loop in which
    nothing happened are known. ``stopped`` ends all waits early.
    """

    def __init__(self) -> None:
        self.busy = 0
        self.stopped = False
        self.spinning = 0  # time spent in turns of the loop in which nothing happened
        self.longest_turn = 0  # since it was last set to 0

    async def until(self, due: int) -> None:
        """Return at a time or after it, and before only if stopped."""
        now = perf_counter_ns()
        while (left := due - now) > 0 and not self.stopped:
            if left > EARLY:
                await asyncio.sleep(min(left - EARLY, LONGEST_SLEEP) / SECOND)
                now = perf_counter_ns()
                continue
            busy = self.busy
            await asyncio.sleep(0)
            before, now = now, perf_counter_ns()
            turn = now - before
            if busy == self.busy:
                self.spinning += min(turn, LONGEST_IDLE_TURN)
            if turn > self.longest_turn:
                self.longest_turn = turn

    def is_due(self, due: int) -> bool:
        return perf_counter_ns() >= due
