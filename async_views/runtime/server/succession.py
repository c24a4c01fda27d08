"""When may an old worker leave? When its successor accepts connections.

On SIGHUP gunicorn starts new workers, and tells the old ones to leave before the new have
loaded the site: for seconds nobody answers. Here its master counts only those that
accept, which each says in a byte of memory that the two share.

Written against gunicorn 27: `manage_workers` and `reap_workers` are not documented there.
"""

import mmap
from collections.abc import Callable
from functools import partial
from signal import SIGTERM
from typing import Any


class Acceptance:
    """Whether a worker accepts connections: it says so, and its master reads it."""

    def __init__(self) -> None:
        # Made before the fork, and common to both sides of it.
        self._byte = mmap.mmap(-1, 1)

    def begin(self) -> None:
        self._byte[0] = 1

    def __bool__(self) -> bool:
        return self._byte[0] == 1


def replace_in_turn(arbiter: Any) -> None:
    """Has this gunicorn's master keep as many accepting workers as there should be."""
    arbiter.manage_workers = partial(manage_workers, arbiter)
    # While it reloads, this is all that the master does.
    arbiter.reap_workers = partial(reap_workers, arbiter, arbiter.reap_workers)


def manage_workers(arbiter: Any) -> None:
    """Starts workers where too few run, and ends old ones where too many do."""
    if len(arbiter.WORKERS) < arbiter.num_workers:
        arbiter.spawn_workers()
    end_replaced_workers(arbiter)


def reap_workers(arbiter: Any, reap: Callable[[], None]) -> None:
    reap()
    end_replaced_workers(arbiter)


def end_replaced_workers(arbiter: Any) -> None:
    """Tells the oldest to leave, once, for as long as enough others accept."""
    workers = sorted(arbiter.WORKERS.items(), key=lambda item: item[1].age)
    while len(workers) > arbiter.num_workers:
        pid, worker = workers.pop(0)
        if sum(accepts(other) for _, other in workers) < arbiter.num_workers:
            break
        if not getattr(worker, "is_replaced", False):
            worker.is_replaced = True
            arbiter.kill_worker(pid, SIGTERM)


def accepts(worker: Any) -> bool:
    """Another class of worker, such as gunicorn's own, does not say."""
    return bool(getattr(worker, "acceptance", True))
