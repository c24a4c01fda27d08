"""Limits on how long a probe may keep the event loop at a time."""

import asyncio
import time
from collections import deque
from typing import Protocol

# Of each turn of the loop. Other requests of the site wait at most this long, and a little
# more for the response that is being read when it is over.
SLICE_SECONDS = 0.004
# For waking the worker that waits for the response.
SECONDS_PER_RESPONSE = 0.0001
# Maximum size of one read of a socket. With the slice, it limits the memory for data that
# has arrived and not been read yet.
READ_BYTES = 16 * 1024


class Arriving(Protocol):
    """A connection that buffers arrived data until it is told to read it."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def read_arrived(self) -> bool:
        """Read it; returns whether that completed a response."""
        ...


class Pace:
    """Lets connections read until this turn's slice is used up, then in later turns.

    An event loop gives the data of all readable sockets to their protocols before it runs
    anything else, so two hundred targets that send at full speed would block it for
    seconds. Here such connections are paused and take turns, in order.
    """

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.longest_wait = 0  # nanoseconds that arrived data has waited
        self._loop = asyncio.get_running_loop()
        self._spent = 0.0
        self._turn_is_due = False
        self._waiting: deque[tuple[Arriving, int]] = deque()

    def arrived(self, connection: Arriving) -> None:
        if self._waiting or self._spent >= SLICE_SECONDS:
            connection.pause()
            self._waiting.append((connection, time.perf_counter_ns()))
        else:
            self._read(connection)
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._spent = 0.0
        while self._waiting and self._spent < SLICE_SECONDS:
            connection, since = self._waiting.popleft()
            self.longest_wait = max(self.longest_wait, time.perf_counter_ns() - since)
            self._read(connection)
            connection.resume()
        self._turn_is_due = bool(self._waiting)
        if self._turn_is_due:
            self._loop.call_soon(self._turn)

    def _read(self, connection: Arriving) -> None:
        began = time.perf_counter()
        answered = connection.read_arrived()
        self._spent += time.perf_counter() - began + SECONDS_PER_RESPONSE * answered
