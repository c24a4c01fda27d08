"""autocannon, of npm, written for Node."""

import json

from benchmarks.clients.run import RunFailed

PACKAGE, VERSION = "autocannon", "9.0.0"


def command(program: str, url: str, connections: int, seconds: int) -> tuple[str, ...]:
    load = ("--connections", str(connections), "--duration", str(seconds))
    return (program, "--json", *load, url)


def parse(report: str) -> float:
    """Requests per second; raises RunFailed if a request failed."""
    try:
        document = json.loads(report)
        failed = document["errors"] + document["timeouts"] + document["non2xx"]
        rate = document["requests"]["total"] / document["duration"]
    except (ValueError, KeyError, ZeroDivisionError):
        raise RunFailed(
            f"the report of autocannon cannot be read: {report!r}"
        ) from None
    if failed:
        raise RunFailed(f"autocannon: {failed} requests failed")
    return float(rate)
