"""The processes that a run of the tests starts, and their end.

Each carries the run's mark in its environment, or works below the run's temporary
directory. Run as a program, this waits for the end of its standard input, which the
kernel closes even when pytest is killed, kills what is left, and stops the embedded
PostgreSQL unless another run uses it.
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
    """Every process of the run, but this one and those above it."""
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
        if process.environ().get(VARIABLE) == mark:
            return True
        return Path(process.cwd()).is_relative_to(directory)
    return False


def kill_left_behind(mark: str, directory: Path) -> list[str]:
    """What was killed; again and again, as some start others meanwhile."""
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
    """Meanwhile, the death of this process is that of all it has started."""
    environment = {name: os.environ[name] for name in os.environ if name != VARIABLE}
    with subprocess.Popen(
        [sys.executable, "-m", __name__, mark, directory, postgres],
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
        stdin=subprocess.PIPE,
        # The terminal's Ctrl-C is not for it.
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
