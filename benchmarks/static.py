"""Compares the site's static files with ServeStatic: `python -m benchmarks.static`.

ServeStatic is not among the requirements. Install both in a separate environment, and run
this module with its Python.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.clients.run import RunFailed
from benchmarks.clients.wrk import WrkMissing, load, require_wrk
from benchmarks.options import rounds_parser
from benchmarks.results.goals import MEGABYTE
from benchmarks.results.report import aligned
from benchmarks.servers.processes import TooFewCores, on_core, take_one_core
from benchmarks.servers.server import CHECKOUT, Server, ServerFailed, Serving, started
from benchmarks.servers.worker import SITE, Worker

APPLICATIONS = "benchmarks.servers.applications"
SERVESTATIC = Server(
    ("-m", "gunicorn", f"{APPLICATIONS}.servestatic_site:application"),
    ready_path="/healthz",
)
CONNECTIONS = 10
# As a browser sends it.
GZIP = ("--header", "Accept-Encoding: gzip, deflate, br")
PAGE = "/requests/sync_to_async"  # needs no database
STYLE = re.compile(r'href="(/static/site\.[0-9a-f]+\.css)"')


class ServeStaticMissing(Exception):
    """ServeStatic is not installed."""


@dataclass(slots=True)
class Measured:
    """One server: its worker's memory, and the CPU µs per request in each turn."""

    name: str
    serving: Serving
    resident_bytes: int = 0
    file: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    style: str = ""
    etag: str = ""

    def look(self) -> None:
        """Finds the style sheet and measures the memory of the idle worker."""
        worker = Worker(self.serving.worker, self.serving.url)
        found = STYLE.search(worker.get(PAGE).decode())
        assert found
        self.style = self.serving.url + found.group(1)
        with urlopen(self.style) as response:
            self.etag = response.headers["ETag"]
        self.serving.settle()
        self.resident_bytes = worker.resident_bytes()

    def take_turn(self, seconds: int) -> None:
        condition = ("--header", f"If-None-Match: {self.etag}")
        self.file.append(self.cpu(self.style, seconds, *GZIP))
        self.unchanged.append(self.cpu(self.style, seconds, *GZIP, *condition))
        self.other.append(self.cpu(self.serving.url + "/time", seconds))

    def cpu(self, url: str, seconds: int, *options: str) -> float:
        """CPU µs per request; raises RunFailed if a request failed."""
        before = self.serving.cpu_seconds()
        answered = load(url, CONNECTIONS, seconds, *options)
        self.serving.settle()
        if answered.errors:
            raise RunFailed(f"{url}: {answered.errors} errors")
        return (self.serving.cpu_seconds() - before) / answered.answers * 1e6


def main() -> int:
    """Returns exit status 0 if the measurement completed, and 2 if it could not run."""
    options = rounds_parser("benchmarks.static", __doc__).parse_args()
    try:
        require_wrk()
        if find_spec("servestatic") is None:
            raise ServeStaticMissing("servestatic is missing: pip install servestatic")
        core = take_one_core()
        print(f"Load average before: {os.getloadavg()[0]:.2f} (0 is best)\n")
        with ExitStack() as stack:
            directory = stack.enter_context(collected())
            with on_core(core):
                servers = [
                    Measured("this site", stack.enter_context(started(SITE))),
                    Measured(
                        "ServeStatic",
                        stack.enter_context(
                            started(SERVESTATIC, STATIC_ROOT=directory)
                        ),
                    ),
                ]
            for each in servers:
                each.look()
            for _ in range(options.rounds):
                for each in servers:
                    each.take_turn(options.seconds)
    except (
        WrkMissing,
        ServeStaticMissing,
        TooFewCores,
        RunFailed,
        ServerFailed,
    ) as error:
        print(error, file=sys.stderr)
        return 2
    print(as_text(servers))
    return 0


@contextmanager
def collected() -> Iterator[str]:
    """A directory with the output of `collectstatic`, until the block ends."""
    with TemporaryDirectory() as directory:
        environment = os.environ | {
            "DEBUG": "1",
            "STATIC_ROOT": directory,
            "DJANGO_SETTINGS_MODULE": f"{APPLICATIONS}.servestatic_settings",
        }
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "django", "collectstatic", "--noinput", "-v0"],
            check=True,
            cwd=CHECKOUT,
            env=environment,
        )
        seconds = time.perf_counter() - began
        print(f"collectstatic: {seconds:.1f} s, once for each release\n")
        yield directory


def as_text(measured: Sequence[Measured]) -> str:
    rows = [("", "worker", "a file", "304", "/time")]
    rows += [
        (
            each.name,
            f"{each.resident_bytes / MEGABYTE:.1f} MB",
            f"{median(each.file):.0f} µs",
            f"{median(each.unchanged):.0f} µs",
            f"{median(each.other):.0f} µs",
        )
        for each in measured
    ]
    return "\n".join(aligned(rows))


if __name__ == "__main__":
    sys.exit(main())
