"""hey, of Debian, written in Go."""

import re

from benchmarks.clients.run import RunFailed

_RATE = re.compile(r"^\s+Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_STATUSES = re.compile(r"^\s+\[(\d+)\]\s+\d+ responses$", re.MULTILINE)


def command(program: str, url: str, connections: int, seconds: int) -> tuple[str, ...]:
    load = ("-c", str(connections), "-z", f"{seconds}s")
    return (program, "-cpus", "1", *load, url)


def parse(report: str) -> float:
    """Requests per second; raises RunFailed if a request failed."""
    rate = _RATE.search(report)
    if rate is None:
        raise RunFailed(f"the report of hey cannot be read: {report!r}")
    if "Error distribution:" in report or set(_STATUSES.findall(report)) != {"200"}:
        raise RunFailed("hey: not every request was answered with 200")
    return float(rate[1])
