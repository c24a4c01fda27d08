"""A worker of the site on a core of its own, and its memory."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.servers.processes import TooFewCores, on_core, take_one_core
from benchmarks.servers.server import Server, ServerFailed, started

SECONDS_TO_ANSWER = 120
KIBIBYTE = 1024

SITE = Server(("-m", "gunicorn"), ready_path="/healthz")


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process of a server, and the URL of the server."""

    process: int
    url: str

    def get(self, path: str) -> bytes:
        with urlopen(self.url + path, timeout=SECONDS_TO_ANSWER) as response:
            return bytes(response.read())

    def resident_bytes(self) -> int:
        return self._status("VmRSS")

    def peak_bytes(self) -> int:
        """The peak resident memory since `forget_peak`."""
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
    """The site under gunicorn, with one worker that may probe this machine.

    Raises ServerFailed.
    """
    with started(
        SITE, PROBE_ACCESS="anyone", PROBE_PRIVATE_TARGETS="127.0.0.1"
    ) as site:
        yield Worker(site.worker, site.url)


def print_measured(measure: Callable[[Worker], str]) -> int:
    """Prints the result of `measure` for a worker of the site on a core of its own.

    Returns exit status 0 if the measurement completed, and 2 if it could not run.
    """
    try:
        core = take_one_core()
        print(f"Load average before: {os.getloadavg()[0]:.2f} (0 is best)\n")
        with ExitStack() as stack:
            with on_core(core):
                worker = stack.enter_context(site_worker())
            print(measure(worker))
    except (TooFewCores, ServerFailed) as error:
        print(error, file=sys.stderr)
        return 2
    return 0
