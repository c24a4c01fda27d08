"""How much memory does a worker of this site hold?"""

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

CHECKOUT = Path(__file__).resolve().parent.parent
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
SECONDS_TO_ANSWER = 120
KIBIBYTE = 1024


class WorkerFailed(Exception):
    """The site did not start; what it said last is the reason."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process of the site, and where the site listens."""

    process: int
    url: str

    def get(self, path: str) -> bytes:
        with urlopen(self.url + path, timeout=SECONDS_TO_ANSWER) as response:
            return bytes(response.read())

    def resident_bytes(self) -> int:
        return self._status("VmRSS")

    def peak_bytes(self) -> int:
        """The most that was resident since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        # 5 resets the high-water mark: proc_pid_clear_refs(5).
        Path(f"/proc/{self.process}/clear_refs").write_text("5")

    def _status(self, field: str) -> int:
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{field}:")]
        return int(line.split()[1]) * KIBIBYTE


@contextmanager
def site_worker() -> Iterator[Worker]:
    """The site under gunicorn with one worker, as in production but for its doors.

    Raises WorkerFailed.
    """
    port = free_port()
    with TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with log.open("wb") as output:
            site = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                cwd=CHECKOUT,
                env=os.environ | environment(port, directory),
                stdout=output,
                stderr=output,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_answered(f"{url}/healthz", site, log)
            yield Worker(only_child(site.pid), url)
        finally:
            site.terminate()
            site.wait(SECONDS_TO_STOP)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def environment(port: int, directory: str) -> dict[str, str]:
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
        "PROBE_ACCESS": "anyone",
        "PROBE_PRIVATE_TARGETS": "127.0.0.1",
    }


def wait_until_answered(url: str, site: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while site.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(url, timeout=SECONDS_TO_START).close()
            return
        except URLError:
            time.sleep(0.1)
    raise WorkerFailed(f"The site did not start:\n{log.read_text()[-2000:]}")


def only_child(process: int) -> int:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    [child] = map(int, children)
    return child
