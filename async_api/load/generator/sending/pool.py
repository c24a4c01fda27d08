"""The connections to one origin, and the requests that wait for one of them.

A request that is due goes out on a free connection in the same turn of the loop. If there
is none, it waits; the oldest is served first. A connection is opened for each request
that waits, up to the maximum.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns

from async_api.load.generator.sending.channel import Channel
from async_api.load.generator.sending.ledger import Due, Ledger, waterfall
from async_api.load.generator.sending.schedule import SECOND
from async_api.load.recording import Flag, Outcome
from async_api.load.wire.connection import Connection
from async_api.load.wire.dialling import DialFailure, Dialler
from async_api.load.wire.request import WireRequest
from async_api.outbound.targets import Target

CANCELLED = "The run was cancelled."
# Where the plan has no deadline. Without one, a target that stalls would prolong the run
# without end, and recordings keep times in 32 bits.
LONGEST_WAIT_SECONDS = 120.0


class Pool:
    """Sends requests over connections that it opens, and writes down what became of them.

    ``ended`` is called with the time of each outcome, in nanoseconds of
    ``time.perf_counter_ns()``; it may hand in the next request. ``in_flight`` is shared
    by the pools of a run: the channels with a request under way, by the time of sending.
    """

    def __init__(
        self,
        target: Target,
        requests: list[WireRequest],
        dialler: Dialler,
        ledger: Ledger,
        in_flight: dict[Channel, None],
        ended: Callable[[int], None],
        *,
        maximum: int,
    ) -> None:
        conditions = ledger.plan.conditions
        self._target = target
        self._requests = requests
        self._dialler = dialler
        self._ledger = ledger
        self._in_flight = in_flight
        self._ended = ended
        self._maximum = maximum
        self._keep_alive = conditions.keep_alive
        self._replaces = conditions.keep_alive and conditions.connect_first
        self.deadline = conditions.deadline_seconds or LONGEST_WAIT_SECONDS
        self._idle: deque[Channel] = deque()
        self._waiting: deque[Due] = deque()
        self._channels: set[Channel] = set()
        self._dials: set[asyncio.Task[None]] = set()
        self._ending = False

    @property
    def open(self) -> int:
        return len(self._channels)

    @property
    def oldest_waiting(self) -> int | None:
        """The planned time of the request that waits longest."""
        return self._waiting[0].planned if self._waiting else None

    async def open_all(self) -> None:
        """Open the maximum of connections; those that fail are opened on demand.

        The first is opened alone, because the others would prolong its phases.
        """
        for number in (1, self._maximum):
            while self.open + len(self._dials) < number:
                self._start_dial()
            await asyncio.gather(*self._dials)

    def send(self, planned: int, request: int, flags: int, *, mark: bool) -> None:
        """Send a request that is due, now or as soon as a connection is free.

        With ``mark``, one that finds all connections in use is recorded as such.
        """
        while self._idle and not self._waiting:
            if self._send_on(self._idle.popleft(), planned, request, flags):
                return
        if mark and len(self._channels) + len(self._dials) >= self._maximum:
            flags |= Flag.NONE_FREE
        self._waiting.append(Due(planned, request, flags))
        self._dial_for_waiting()

    def shed(self, now: int) -> None:
        """Give up the requests whose deadline has passed."""
        allowed = round(self.deadline * SECOND)
        while self._waiting and self._waiting[0].planned + allowed <= now:
            self._not_sent(
                now,
                Outcome.SHED,
                f"Not sent within {self.deadline:g} s of its planned time.",
            )

    def cancel(self) -> None:
        """End everything under way as cancelled, and close all connections."""
        self.close()
        now = perf_counter_ns()
        while self._waiting:
            self._not_sent(now, Outcome.CANCELLED, CANCELLED)

    def close(self) -> None:
        self._ending = True
        for dial in self._dials:
            dial.cancel()
        for channel in list(self._channels):
            if channel.connection is not None:
                channel.connection.fail(Outcome.CANCELLED, CANCELLED)

    async def closed_all(self) -> None:
        """Wait until no connection is open after `close`."""
        await asyncio.gather(*self._dials, return_exceptions=True)
        while self._channels:
            await asyncio.sleep(0)

    def _finished(self, channel: Channel, connection: Connection) -> None:
        if not channel.busy:
            return
        channel.busy = False
        del self._in_flight[channel]
        self._ledger.exchanged(
            channel.planned, channel.request, channel.flags, connection
        )
        if channel.first and connection.outcome > 0:
            self._draw_waterfall(channel, connection)
        if connection.usable:
            if not self._keep_alive:
                connection.close()
            elif not self._waiting:
                self._idle.append(channel)
            else:
                self._serve(channel, 0)
        self._ended(connection.ended)

    def _closed(self, channel: Channel, connection: Connection) -> None:
        if connection.stray:
            self._ledger.strays += 1
        if connection.lost:
            self._ledger.lost += 1
        if channel not in self._channels:
            channel.closed_early = True
            return
        self._channels.discard(channel)
        if channel in self._idle:
            self._idle.remove(channel)
        if self._ending:
            return
        self._dial_for_waiting()
        # One that carried nothing is not replaced until it is needed: a target that
        # closes every connection at once would be dialled without end.
        carried = connection.outcome != 0
        room = len(self._channels) + len(self._dials) < self._maximum
        if self._replaces and carried and room:
            self._start_dial()

    def _send_on(
        self, channel: Channel, planned: int, request: int, flags: int
    ) -> bool:
        connection = channel.connection
        assert connection is not None
        if not connection.send(self._requests[request]):
            if connection.lost:
                self._ledger.replaced += 1
            return False
        channel.busy = True
        channel.planned = planned
        channel.request = request
        channel.flags = flags
        self._in_flight[channel] = None
        return True

    def _serve(self, channel: Channel, flags: int) -> bool:
        """Send what waits longest on a free channel, or keep the channel for later."""
        self.shed(perf_counter_ns())
        if not self._waiting:
            self._idle.append(channel)
            return True
        due = self._waiting.popleft()
        if flags:
            due = due._replace(flags=due.flags | flags)
        if self._send_on(channel, *due):
            return True
        self._waiting.appendleft(due)
        return False

    def _dial_for_waiting(self) -> None:
        while (
            len(self._dials) < len(self._waiting)
            and len(self._channels) + len(self._dials) < self._maximum
            and not self._ending
        ):
            self._start_dial()

    def _start_dial(self) -> None:
        dial = asyncio.get_running_loop().create_task(self._dial())
        self._dials.add(dial)
        dial.add_done_callback(self._dial_ended)

    async def _dial(self) -> None:
        channel = Channel()
        try:
            connection, opened = await self._dialler.dial(
                self._target,
                partial(self._finished, channel),
                partial(self._closed, channel),
            )
        except DialFailure as failure:
            self._ledger.exhausted = self._ledger.exhausted or failure.exhausted
            self._dialled()
            if self._waiting:
                self._not_sent(perf_counter_ns(), failure.outcome, failure.message)
            self._dial_for_waiting()
            return
        self._dialled()
        channel.connection = connection
        channel.first = self._ledger.opened == 0
        channel.opened = self._ledger.connected(opened)
        if self._ending:
            connection.close()
        if not channel.closed_early:
            self._channels.add(channel)
            if self._ending or self._serve(channel, Flag.NEW_CONNECTION):
                return
        # Another one would be closed as well, so the request that waited has failed.
        if self._waiting:
            self._not_sent(
                perf_counter_ns(),
                Outcome.DISCONNECTED,
                "The target closed a new connection before a request could be sent.",
            )
        self._dial_for_waiting()

    def _dial_ended(self, dial: asyncio.Task[None]) -> None:
        self._dials.discard(dial)
        if not dial.cancelled():
            # An error that no DialFailure describes is one of this program.
            dial.result()

    def _dialled(self) -> None:
        """This dial's place is taken by its connection, or free."""
        task = asyncio.current_task()
        assert task is not None
        self._dials.discard(task)

    def _not_sent(self, now: int, outcome: Outcome, message: str) -> None:
        self._ledger.unsent_request(self._waiting.popleft(), now, outcome, message)
        self._ended(now)

    def _draw_waterfall(self, channel: Channel, connection: Connection) -> None:
        if connection.fresh:
            self._ledger.cold = waterfall(connection, channel.opened)
        else:
            self._ledger.warm = waterfall(connection, None)
            channel.first = False
