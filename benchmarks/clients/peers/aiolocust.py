"""aiolocust, of PyPI, which needs a Python 3.14 without the global interpreter lock."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clients.peers.installation import (
    FOLDER,
    PROGRAMS,
    NotInstalled,
    environment,
)
from benchmarks.clients.run import RunFailed

VERSION = "0.12.7"
USERS = PROGRAMS / "aiolocust_user.py"


def install() -> Path:
    """The interpreter of its environment. Raises NotInstalled."""
    python = next(interpreters(), None)
    if python is None:
        raise NotInstalled(
            "it needs Python 3.14 or newer without the global interpreter lock, such as "
            "python3.14t, and there is none on the path or in ~/.pyenv"
        )
    return environment(FOLDER / "aiolocust", python, f"aiolocust=={VERSION}")


def interpreters() -> Iterator[str]:
    for minor in (15, 14):
        if found := shutil.which(f"python3.{minor}t"):
            yield found
        versions = Path.home() / ".pyenv" / "versions"
        yield from map(str, versions.glob(f"3.{minor}*t/bin/python"))


def command(python: str, url: str, connections: int, seconds: int) -> tuple[str, ...]:
    load = ("--users", str(connections), "--duration", str(seconds))
    report = ("--event-loops", "1", "--json-report", "/dev/stdout")
    return (python, "-m", "aiolocust", *load, *report, "--host", url, str(USERS))


def parse(report: str) -> float:
    """Requests per second; raises RunFailed if a request failed.

    The report is JSON after the tables that it always prints.
    """
    try:
        total = json.loads(report[report.index("{") :])["total"]
        rate, failed = total["rate"], total["errorcount"]
    except (ValueError, KeyError):
        raise RunFailed(f"the report of aiolocust cannot be read: {report!r}") from None
    if failed:
        raise RunFailed(f"aiolocust: {failed} requests failed")
    return float(rate)
