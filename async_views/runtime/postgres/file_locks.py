"""Who still uses a thing? The kernel knows, by locks on a file (flock).

A dead process's locks are dropped with it, and a fork or a child that inherits the
descriptor shares the lock.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the lock exclusively for the block, waiting for it first."""
    turn = _open(lock)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        # Closing would not unlock it for a fork that another thread made meanwhile.
        fcntl.flock(turn, fcntl.LOCK_UN)
        os.close(turn)


def share(lock: Path) -> int:
    """Hold the lock, with others, until every copy of the descriptor is closed."""
    descriptor = _open(lock)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_free_within(seconds: float, lock: Path) -> bool:
    deadline = time.monotonic() + seconds
    while not (free := is_free(lock)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return free


def is_free(lock: Path) -> bool:
    """Whether nobody at all holds the lock right now."""
    descriptor = _open(lock)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _open(lock: Path) -> int:
    return os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
