"""Locks on files (flock), which show whether other processes still use something.

The kernel drops a dead process's locks. A fork or a child that inherits the descriptor
shares the lock.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Waits for the lock, and holds it exclusively for the block."""
    turn = _open(lock)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        # Closing alone would not unlock it if another thread has forked meanwhile.
        fcntl.flock(turn, fcntl.LOCK_UN)
        os.close(turn)


def share(lock: Path) -> int:
    """Holds a shared lock until every copy of the descriptor is closed."""
    descriptor = _open(lock)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_free_within(seconds: float, lock: Path) -> bool:
    deadline = time.monotonic() + seconds
    while not (free := is_free(lock)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return free


def is_free(lock: Path) -> bool:
    """Whether no process holds the lock."""
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
