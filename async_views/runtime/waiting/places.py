"""How many of a thing may run at once in this worker?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import RETRY_AFTER_SECONDS


class Places:
    """So many and no more; whoever comes when all are taken is told to come back.

    A thread's semaphore counts them, because under a synchronous gateway requests run in
    threads. It is never waited for, and so blocks no event loop either.
    """

    def __init__(self, size: int, what: str) -> None:
        self.size = size
        self.what = what
        self._free = threading.BoundedSemaphore(size)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One place, for the block; raises a 429 Problem where there is none."""
        if not self._free.acquire(blocking=False):
            raise Problem(
                429,
                f"{self.size} {self.what} are running here, which is as many as may. "
                f"Try again in {RETRY_AFTER_SECONDS} seconds.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        try:
            yield
        finally:
            self._free.release()
