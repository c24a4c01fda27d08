"""Locust, of PyPI, with its faster client, FastHttpUser."""

import json
from pathlib import Path

from benchmarks.clients.peers.installation import PROGRAMS
from benchmarks.clients.run import RunFailed

USERS = PROGRAMS / "fast_http_user.py"


def command(python: str, url: str, connections: int, seconds: int) -> tuple[str, ...]:
    users = ("--users", str(connections), "--spawn-rate", str(connections))
    # Without the file of settings that the machine's user may have.
    quiet = ("--headless", "--only-summary", "--json", "--loglevel", "ERROR")
    program = str(Path(python).with_name("locust"))
    return (
        *(program, "--locustfile", str(USERS), *users, *quiet),
        *("--run-time", f"{seconds}s", "--host", url.removesuffix("/")),
    )


def parse(report: str) -> float:
    """Requests per second, from the first to the last; raises RunFailed if one failed."""
    try:
        [entry] = json.loads(report)
        seconds = entry["last_request_timestamp"] - entry["start_time"]
        rate = entry["num_requests"] / seconds
        failed = entry["num_failures"]
    except (ValueError, KeyError, ZeroDivisionError):
        raise RunFailed(f"the report of Locust cannot be read: {report!r}") from None
    if failed:
        raise RunFailed(f"Locust: {failed} requests failed")
    return float(rate)
