"""Runs the whole site under gunicorn, as its users do."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_WAIT = 60
# How many times longer than promised something may take, because the machine does other
# work too.
PATIENCE = 4
OPEN = re.compile(r"(?:open|listening)\s+(http://\S+?)/ ")


def wait_until_ended(processes: list[psutil.Process]) -> None:
    """Raises AssertionError for one that still runs after SECONDS_TO_WAIT.

    A zombie has ended: whoever inherits the children of a killed process reaps them.
    """
    deadline = time.monotonic() + SECONDS_TO_WAIT
    for process in processes:
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, process
            time.sleep(0.01)


class Site:
    """Gunicorn in its own process group, on a free port. `settings` are variables.

    Leaving the block stops it like Ctrl-C.
    """

    def __init__(self, *arguments: str, **settings: str) -> None:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "async_views.settings",
            "PORT": "0",
            "WORKERS": "1",
            "PYTHONUNBUFFERED": "1",
        }
        # The site runs without the Python settings of the tests.
        for name in ("PYTHONDEVMODE", "PYTHONASYNCIODEBUG"):
            environment.pop(name, None)
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name("gunicorn"), *arguments],
            cwd=ROOT,
            env=environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        try:
            self.wait_until(lambda site: bool(site._opened()))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.interrupt()
        self.wait()

    @property
    def url(self) -> str:
        opened = self._opened()
        assert opened, self.output
        return opened.group(1)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def master(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def workers(self) -> list[psutil.Process]:
        return [
            child
            for child in self.master.children()
            if child.status() != psutil.STATUS_ZOMBIE
        ]

    def interrupt(self) -> None:
        """Ctrl-C: the terminal sends it to the whole process group."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self, seconds: float = SECONDS_TO_WAIT) -> int:
        """Returns the exit status; raises subprocess.TimeoutExpired if it does not end."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise
        finally:
            self._reader.join()
            if self._process.stdout:
                self._process.stdout.close()
        return status

    def wait_until(self, condition: Callable[["Site"], bool]) -> None:
        """Waits for output until the condition is true; raises TimeoutError if it never is."""
        with self._said:
            if not self._said.wait_for(
                lambda: condition(self) or self._process.poll() is not None,
                SECONDS_TO_WAIT,
            ) or not condition(self):
                raise TimeoutError(
                    f"The site did not reach the expected state:\n{self.output}"
                )

    def _opened(self) -> re.Match[str] | None:
        return OPEN.search(self.output)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()
        with self._said:
            self._said.notify_all()
