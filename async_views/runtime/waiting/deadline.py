"""When has a worker's request taken too long, without a timer for each request?"""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """What asyncio.timeout does, for the many requests of one task, on one timer.

    uvloop makes and closes a libuv handle for each timer, which took a fifth of the CPU
    time of a request. Here a timer that rings for a request long since done waits for
    the deadline of the one under way: it is set about once in a timeout, and no request
    ends later for it.
    """

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._rings = float("inf")
        self._due = float("inf")  # nothing is under way
        self._expired = False
        self._cancelling = 0

    def within(self, seconds: float) -> Self:
        """Enter it with `with`: raises TimeoutError where the block takes longer."""
        self._due = self._loop.time() + seconds
        return self

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> None:
        self._cancelling = self._task.cancelling()
        if self._due < self._rings:
            self.close()
            self._set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._due = float("inf")
        if self._expired:
            self._expired = False
            # Whoever else cancelled the task meanwhile must be heard too.
            others = self._task.uncancel() > self._cancelling
            if kind is asyncio.CancelledError and not others:
                raise TimeoutError from error

    def _set(self) -> None:
        self._rings = self._due
        self._timer = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings = None, float("inf")
        if self._due <= self._loop.time():
            self._expired = True
            self._task.cancel()
        elif self._due < float("inf"):
            self._set()
