"""Reloading without a gap: an old worker leaves once its successor accepts connections.

On SIGHUP gunicorn starts new workers, and tells the old ones to leave before the new ones
have loaded the site: for seconds nothing accepts connections. Here the master counts only
workers that accept, which each worker reports in a byte of shared memory.
"""

import mmap
from collections.abc import Callable
from functools import partial
from signal import SIGTERM
from typing import Any


class Acceptance:
    """Whether a worker accepts connections: set by the worker, read by its master."""

    def __init__(self) -> None:
        # Created before the fork, and shared by both sides.
        self._byte = mmap.mmap(-1, 1)

    def begin(self) -> None:
        self._byte[0] = 1

    def __bool__(self) -> bool:
        return self._byte[0] == 1


def replace_in_turn(arbiter: Any) -> None:
    """Makes gunicorn's master keep the configured number of accepting workers."""
    arbiter.manage_workers = partial(manage_workers, arbiter)
    # While it reloads, the master calls nothing else.
    arbiter.reap_workers = partial(reap_workers, arbiter, arbiter.reap_workers)


def manage_workers(arbiter: Any) -> None:
    """Starts workers if too few run, and ends old ones if too many run."""
    if len(arbiter.WORKERS) < arbiter.num_workers:
        arbiter.spawn_workers()
    end_replaced_workers(arbiter)


def reap_workers(arbiter: Any, reap: Callable[[], None]) -> None:
    reap()
    end_replaced_workers(arbiter)


def end_replaced_workers(arbiter: Any) -> None:
    """Tells the oldest workers to leave, while enough others accept."""
    workers = sorted(arbiter.WORKERS.items(), key=lambda item: item[1].age)
    while len(workers) > arbiter.num_workers:
        pid, worker = workers.pop(0)
        if sum(accepts(other) for _, other in workers) < arbiter.num_workers:
            break
        if not getattr(worker, "is_replaced", False):
            worker.is_replaced = True
            arbiter.kill_worker(pid, SIGTERM)


def accepts(worker: Any) -> bool:
    """Whether the worker accepts; other worker classes do not report it."""
    return bool(getattr(worker, "acceptance", True))
