"""Ends what takes too long: responses after their timeout, and waits after their deadline.

All requests have the same timeout, so the one sent first is the first to exceed it. One
timer serves all: nothing that is sent later can expire before it fires.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter_ns

from async_api.load.generator.sending.channel import Channel
from async_api.load.generator.sending.pool import Pool
from async_api.load.generator.sending.schedule import SECOND
from async_api.load.recording import Outcome


class Expiry:
    """Watches the channels in flight, which are in the order of sending."""

    def __init__(
        self,
        in_flight: dict[Channel, None],
        pools: Sequence[Pool],
        response_seconds: float,
    ) -> None:
        self._in_flight = in_flight
        self._pools = pools
        self._allowed = round(response_seconds * SECOND)
        self._deadline = round(pools[0].deadline * SECOND)
        self._message = (
            f"No complete response within {response_seconds:g} s of the request."
        )
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._check()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        now = perf_counter_ns()
        due = now + min(self._allowed, self._deadline)
        while self._in_flight:
            channel = next(iter(self._in_flight))
            connection = channel.connection
            assert connection is not None
            if connection.sent + self._allowed > now:
                due = min(due, connection.sent + self._allowed)
                break
            # It also leaves the channels in flight.
            connection.fail(Outcome.TIMEOUT, self._message)
        for pool in self._pools:
            pool.shed(now)
            if pool.oldest_waiting is not None:
                due = min(due, pool.oldest_waiting + self._deadline)
        # At least a millisecond, as timers may be that much early.
        delay = max(due - perf_counter_ns(), 1_000_000) / SECOND
        self._timer = asyncio.get_running_loop().call_later(delay, self._check)
