"""A limit on how many of a thing run at once in this worker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import RETRY_AFTER_SECONDS


class ConcurrencyLimit:
    """Lets `size` blocks run at once, and refuses the next one.

    It counts with a thread's semaphore, because under a synchronous gateway requests run
    in threads. The semaphore is never waited for, so it does not block an event loop.
    """

    def __init__(self, size: int, what: str) -> None:
        self.size = size
        self.what = what
        self._free = threading.BoundedSemaphore(size)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Holds a slot for the block; raises a 429 Problem if none is free."""
        if not self._free.acquire(blocking=False):
            raise Problem(
                429,
                f"{self.size} {self.what} are already running here, the limit. "
                f"Try again in {RETRY_AFTER_SECONDS} seconds.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        try:
            yield
        finally:
            self._free.release()
