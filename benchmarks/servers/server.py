"""How does a server run by itself, and what does it cost the machine?"""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
SECONDS_TO_SETTLE = 10
IDLE_SECONDS = 0.3  # in which a server that has settled uses
IDLE_CPU_SECONDS = 0.02  # at most this: the kernel counts in hundredths


class ServerFailed(Exception):
    """A server did not start, or did not come to rest; the reason is in the message."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one. "{port}" in Python's arguments is where it is to listen."""

    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    ready_path: str = "/hello"  # answered as soon as it serves


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers: its first process, and where it listens."""

    process: int
    url: str

    @property
    def worker(self) -> int:
        """The process that answers: gunicorn's only child, or the only one there is."""
        return processes(self.process)[-1].pid

    def cpu_seconds(self) -> float:
        """Of all its processes; see below."""
        return cpu_seconds(self.process)

    def settle(self) -> None:
        """Returns once it does nothing any more; raises ServerFailed if it never does."""
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(IDLE_SECONDS)
            after = self.cpu_seconds()
            if after - before <= IDLE_CPU_SECONDS:
                return
            before = after
        raise ServerFailed(f"{self.url} is busy though nobody asks.")


def processes(first: int) -> list[psutil.Process]:
    """That process and all below it."""
    process = psutil.Process(first)
    return [process, *process.children(recursive=True)]


def cpu_seconds(first: int) -> float:
    """User and system time of a process and all below it, ended ones included."""
    while True:
        try:
            times = (sum(each.cpu_times()[:4]) for each in processes(first))
            # To a microsecond: what an ended process used is added in another place, and
            # the sum of the same numbers can come out a trifle smaller.
            return round(sum(times), 6)
        except psutil.NoSuchProcess:
            # One that ended meanwhile: its time is now its parent's.
            if not psutil.pid_exists(first):
                raise


@contextmanager
def started(server: Server, **environment: str) -> Iterator[Serving]:
    """The server, where this process runs, until the block ends. Raises ServerFailed."""
    port = free_port()
    with TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    sys.executable,
                    *(each.format(port=port) for each in server.arguments),
                ],
                cwd=CHECKOUT,
                env=os.environ
                | production(port, directory)
                | environment
                | dict(server.environment),
                stdout=output,
                stderr=output,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_answered(url + server.ready_path, process, log)
            yield Serving(process.pid, url)
        finally:
            process.terminate()
            process.wait(SECONDS_TO_STOP)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def production(port: int, directory: str) -> dict[str, str]:
    """The site's settings as in production, but for its doors."""
    return {
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "0",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": "1",
        "EMBEDDED_POSTGRES_DIR": f"{directory}/postgres",
        "PREPARE_ON_START": "0",
        # Counted as always, but for one who asks as often as a benchmark does.
        "CATALOG_READS_A_MINUTE": "1000000000",
        "CATALOG_WRITES_A_MINUTE": "1000000000",
    }


def wait_until_answered(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(url, timeout=SECONDS_TO_START).close()
            return
        except URLError:
            time.sleep(0.1)
    raise ServerFailed(f"{url} is not answered:\n{log.read_text()[-2000:]}")
