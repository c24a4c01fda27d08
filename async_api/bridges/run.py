"""What can an experiment do while it runs, so that it is recorded and can be ended?"""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from async_api.bridges.executors import default_pool_size
from async_api.bridges.question import Question
from async_api.bridges.recording import Activity, Recording
from async_views.runtime.views.gateway import event_loop_id

# So that no two runs name their threads alike.
_numbers = itertools.count(1)


class Run:
    """One run of an experiment.

    Its pool is as large as the event loop's default one, which others need: whatever is
    shown of it is true of that one, while nobody waits for this one.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.pool = ThreadPoolExecutor(default_pool_size(), f"bridge-{next(_numbers)}")
        self.recording = Recording()
        self.event_loops: list[str] = []
        # Nothing ends a thread in time.sleep; one that waits for an event can be woken.
        self._over = threading.Event()

    def block(self) -> None:
        """Blocks this thread as time.sleep does."""
        with self.recording.span(Activity.BLOCKING):
            self._over.wait(self.question.sleep_seconds)

    async def sleep(self, lane: str) -> None:
        """Waits as long without blocking the thread."""
        self.note_event_loop()
        with self.recording.span(Activity.SLEEPING, lane):
            await asyncio.sleep(self.question.sleep_seconds)

    def note_event_loop(self) -> None:
        loop = event_loop_id()
        if loop not in self.event_loops:
            self.event_loops.append(loop)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Whatever still blocks when the block is left is woken, and nothing follows it."""
        try:
            yield
        finally:
            self._over.set()
            self.pool.shutdown(wait=False, cancel_futures=True)
