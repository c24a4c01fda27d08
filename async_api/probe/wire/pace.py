"""How much of the event loop's time a probe may take at a time."""

import asyncio
import time
from collections import deque
from typing import Protocol

# Of each turn of the loop. Other requests of the site wait at most so long for it, and a
# little more for the answer that is being read when it is over.
SLICE_SECONDS = 0.004
# Besides being read, an answer wakes the worker that waits for it.
SECONDS_OF_AN_ANSWER = 0.0001
# What one read of a socket may bring. Together with the slice it bounds the memory of
# what has arrived and not been read yet.
READ_BYTES = 16 * 1024


class Arriving(Protocol):
    """A connection that holds what has arrived on it, and has it read when told to."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def read_arrived(self) -> bool:
        """Whether an answer was completed by it."""
        ...


class Pace:
    """Lets connections read until the slice of this turn is used up, then in later turns.

    A loop hands all sockets that have something to read to their protocols before it
    runs anything else: two hundred targets that send as fast as they can would occupy
    it for seconds. Here each such connection is paused and waits for its turn, in order.
    """

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.longest_wait = 0  # nanoseconds that something arrived has waited here
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
        self._spent += time.perf_counter() - began + SECONDS_OF_AN_ANSWER * answered
