"""Timeouts for the many requests of one task, on one timer."""

import asyncio
from types import TracebackType
from typing import Self

from async_views.runtime.waiting.lazy_timer import LazyTimer


class Deadline:
    """`asyncio.timeout` for one block after another, without a timer for each."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = LazyTimer(asyncio.get_running_loop(), self._expire)
        self._expired = False
        self._cancelling = 0
        self._seconds = 0.0

    def within(self, seconds: float) -> Self:
        """Enter it with `with`: raises TimeoutError if the block takes longer."""
        self._seconds = seconds
        return self

    def close(self) -> None:
        self._timer.close()

    def __enter__(self) -> None:
        self._cancelling = self._task.cancelling()
        self._timer.start(self._seconds)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.stop()
        if self._expired:
            self._expired = False
            # A cancellation by other code in the meantime must be passed on.
            others = self._task.uncancel() > self._cancelling
            if kind is asyncio.CancelledError and not others:
                raise TimeoutError from error

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()
