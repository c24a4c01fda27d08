"""The threads on which sync_to_async runs calls."""

import asyncio
import os
from dataclasses import dataclass
from enum import StrEnum

from asgiref.sync import AsyncToSync, SyncToAsync


class Kind(StrEnum):
    """Where calls run, in the order in which asgiref looks for an executor."""

    CALLER = "caller"
    REQUEST = "request"
    PROCESS = "process"
    POOL = "pool"
    EVENT_LOOP = "event_loop"


KIND_LABELS = {
    Kind.CALLER: "the thread of the synchronous code that waits",
    Kind.REQUEST: "the request's own thread",
    Kind.PROCESS: "the one thread of the process for such calls",
    Kind.POOL: "a pool of threads",
    Kind.EVENT_LOOP: "the event loop's thread",
}


@dataclass(frozen=True, slots=True)
class Executor:
    """Where calls run, and how many at the same time."""

    kind: Kind
    size: int

    @property
    def label(self) -> str:
        return KIND_LABELS[self.kind]


def default_pool_size() -> int:
    """The size of an event loop's default executor in Python 3.11."""
    return min(32, (os.cpu_count() or 1) + 4)


def sensitive_executor() -> Executor:
    """Where thread-sensitive code runs, in the order of asgiref's SyncToAsync.__call__."""
    waiting_thread = getattr(AsyncToSync.executors, "current", None)
    if (
        waiting_thread is not None
        or asyncio.get_running_loop() in AsyncToSync.loop_thread_executors
    ):
        return Executor(Kind.CALLER, 1)
    if SyncToAsync.thread_sensitive_context.get(None) is not None:
        return Executor(Kind.REQUEST, 1)
    return Executor(Kind.PROCESS, 1)
