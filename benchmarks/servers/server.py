"""Starts a server in a process of its own, and measures its CPU time."""

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
# A server has settled if it uses at most this CPU time, which the kernel counts in
# hundredths of a second, within this time.
IDLE_CPU_SECONDS = 0.02
IDLE_SECONDS = 0.3


class ServerFailed(Exception):
    """A server did not start, or did not settle; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server. "{port}" in its arguments stands for the port to listen on."""

    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    ready_path: str = "/hello"  # answered once the server is ready


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server: its first process, and its URL."""

    process: int
    url: str

    @property
    def worker(self) -> int:
        """The process that serves requests: gunicorn's only child, or the only process."""
        return processes(self.process)[-1].pid

    def cpu_seconds(self) -> float:
        """CPU time of all its processes; see the function of the same name."""
        return cpu_seconds(self.process)

    def settle(self) -> None:
        """Waits until the server is idle; raises ServerFailed if it stays busy."""
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(IDLE_SECONDS)
            after = self.cpu_seconds()
            if after - before <= IDLE_CPU_SECONDS:
                return
            before = after
        raise ServerFailed(f"{self.url} stays busy without requests.")


def processes(first: int) -> list[psutil.Process]:
    """That process and all its descendants."""
    process = psutil.Process(first)
    return [process, *process.children(recursive=True)]


def cpu_seconds(first: int) -> float:
    """User and system time of a process and its descendants, including ended ones."""
    while True:
        try:
            times = (sum(each.cpu_times()[:4]) for each in processes(first))
            # Rounded, because the time of an ended process is added in a different order,
            # which can make the floating-point sum slightly smaller.
            return round(sum(times), 6)
        except psutil.NoSuchProcess:
            # A process has ended meanwhile: its time now counts for its parent.
            if not psutil.pid_exists(first):
                raise


@contextmanager
def started(server: Server, **environment: str) -> Iterator[Serving]:
    """Runs a server on this process's cores until the block ends. Raises ServerFailed."""
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
    """The site's production settings, except for its address and its limits."""
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
        # Requests are counted as usual, but a benchmark stays below the limit.
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
    raise ServerFailed(f"{url} does not respond:\n{log.read_text()[-2000:]}")
