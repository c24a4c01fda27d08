"""Ends the processes that a test run has started.

They are recognized by the run's mark in their environment, or by a working directory
within the run's temporary directory. As a program, this module waits for the end of its
standard input, which the kernel closes even when pytest is killed. Then it kills the
remaining processes, and stops the embedded PostgreSQL unless another run uses it.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from async_views.runtime.postgres import embedded

VARIABLE = "ASYNC_VIEWS_TESTS"
SECONDS_TO_END = 10


def left_behind(mark: str, directory: Path) -> list[psutil.Process]:
    """All processes of the run, except this one and its ancestors."""
    above = {process.pid for process in psutil.Process().parents()}
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in above | {psutil.Process().pid}
        and is_of(process, mark, directory)
    ]


def is_of(process: psutil.Process, mark: str, directory: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if "multiprocessing.resource_tracker" in " ".join(process.cmdline()):
            # Python's own, of a process that has spawned others: it ends with that process.
            return False
        if process.environ().get(VARIABLE) == mark:
            return True
        return Path(process.cwd()).is_relative_to(directory)
    return False


def kill_left_behind(mark: str, directory: Path) -> list[str]:
    """Kills them repeatedly, because some may start others; returns their commands."""
    killed = []
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := left_behind(mark, directory)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.Error):
                killed.append(" ".join(process.cmdline()))
                process.kill()
        psutil.wait_procs(left, timeout=1)
    return killed


@contextlib.contextmanager
def guarded(mark: str, directory: Path, postgres: Path) -> Iterator[None]:
    """If this process dies within the block, everything that it started is killed."""
    environment = {name: os.environ[name] for name in os.environ if name != VARIABLE}
    with subprocess.Popen(
        [sys.executable, "-m", __name__, mark, directory, postgres],
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
        stdin=subprocess.PIPE,
        # In a session of its own, it does not receive Ctrl-C from the terminal.
        start_new_session=True,
    ) as guard:
        try:
            yield
        finally:
            guard.kill()


def main(mark: str, directory: str, postgres: str) -> None:
    sys.stdin.read()
    kill_left_behind(mark, Path(directory))
    if Path(postgres, "data").exists():
        embedded.hold(Path(postgres)).release()


if __name__ == "__main__":
    main(*sys.argv[1:])
