"""On which threads does sync_to_async run a call that is made here?"""

import asyncio
import os
from dataclasses import dataclass
from enum import StrEnum

from asgiref.sync import AsyncToSync, SyncToAsync


class Kind(StrEnum):
    """Where calls run, in the order in which asgiref looks for a place."""

    CALLER = "caller"
    REQUEST = "request"
    PROCESS = "process"
    POOL = "pool"
    EVENT_LOOP = "event_loop"


KIND_LABELS = {
    Kind.CALLER: "the thread of the synchronous code that waits",
    Kind.REQUEST: "the request's own thread",
    Kind.PROCESS: "the one thread that the process has for it",
    Kind.POOL: "a pool of threads",
    Kind.EVENT_LOOP: "the event loop's thread",
}


@dataclass(frozen=True, slots=True)
class Executor:
    """Where calls run, and how many of them at the same time."""

    kind: Kind
    size: int

    @property
    def label(self) -> str:
        return KIND_LABELS[self.kind]


def default_pool_size() -> int:
    """As many threads as an event loop's default executor has, in Python 3.11."""
    return min(32, (os.cpu_count() or 1) + 4)


def sensitive_executor() -> Executor:
    """Where thread-sensitive code runs: asgiref's own order, SyncToAsync.__call__."""
    waiting_thread = getattr(AsyncToSync.executors, "current", None)
    if (
        waiting_thread is not None
        or asyncio.get_running_loop() in AsyncToSync.loop_thread_executors
    ):
        return Executor(Kind.CALLER, 1)
    if SyncToAsync.thread_sensitive_context.get(None) is not None:
        return Executor(Kind.REQUEST, 1)
    return Executor(Kind.PROCESS, 1)
