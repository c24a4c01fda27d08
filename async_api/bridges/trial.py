"""One execution of an experiment: its parameters, and what it does while it runs."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from async_api.bridges.executors import default_pool_size
from async_api.bridges.recording import Activity, Recording
from async_views.runtime.views.gateway import event_loop_id

# Makes the names of threads unique.
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers of an experiment; each experiment reads those that it is about."""

    sleep_seconds: float
    calls: int
    thread_sensitive: bool
    at_once: int  # how many calls a semaphore lets in


class Trial:
    """One execution of an experiment, which is recorded, and ended when it is cancelled.

    Its pool has the size of the event loop's default pool, and so behaves like it,
    without keeping it from other requests.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.pool = ThreadPoolExecutor(default_pool_size(), f"bridge-{next(_numbers)}")
        self.recording = Recording()
        self.event_loops: list[str] = []
        # A thread in time.sleep cannot be ended; one that waits for an event can be woken.
        self._over = threading.Event()

    def block(self) -> None:
        """Blocks the current thread, as time.sleep does."""
        with self.recording.span(Activity.BLOCKING):
            self._over.wait(self.parameters.sleep_seconds)

    async def sleep(self, lane: str) -> None:
        """Sleeps for the same time without blocking the thread."""
        self.note_event_loop()
        with self.recording.span(Activity.SLEEPING, lane):
            await asyncio.sleep(self.parameters.sleep_seconds)

    def note_event_loop(self) -> None:
        loop = event_loop_id()
        if loop not in self.event_loops:
            self.event_loops.append(loop)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """On exit, wakes the threads that still block and cancels calls not yet begun."""
        try:
            yield
        finally:
            self._over.set()
            self.pool.shutdown(wait=False, cancel_futures=True)
