"""How do the tests run the whole site? As its users do: under a real gunicorn."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_WAIT = 60
OPEN = re.compile(r"(?:open|listening)\s+(http://\S+?)/ ")


class Site:
    """A gunicorn of its own process group on a free port; `settings` are environment.

    Leaving the block stops it as Ctrl-C would.
    """

    def __init__(self, *arguments: str, **settings: str) -> None:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "async_views.settings",
            "PORT": "0",
            "WORKERS": "1",
            "PYTHONUNBUFFERED": "1",
        }
        # The tests' own Python settings are not the site's.
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
        """Its exit status, once it has ended; subprocess.TimeoutExpired when it does not."""
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
        """Blocks until a line it said makes the condition true; or raises TimeoutError."""
        with self._said:
            if not self._said.wait_for(
                lambda: condition(self) or self._process.poll() is not None,
                SECONDS_TO_WAIT,
            ) or not condition(self):
                raise TimeoutError(f"The site did not come so far:\n{self.output}")

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
