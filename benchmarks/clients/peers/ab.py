"""ab, the ApacheBench of Debian's apache2-utils, written in C.

It speaks HTTP/1.0, so a server that keeps alive only connections of HTTP/1.1, such as
uvicorn, closes each connection after one response.
"""

import re

from benchmarks.clients.run import RunFailed

ENDLESS = 50_000_000  # requests: the time ends the run

_RATE = re.compile(r"^Requests per second:\s+([\d.]+) \[#/sec\]", re.MULTILINE)
_FAILED = re.compile(
    r"^(?:Failed requests|Non-2xx responses):\s+([1-9]\d*)$", re.MULTILINE
)


def command(program: str, url: str, connections: int, seconds: int) -> tuple[str, ...]:
    # -t implies 50,000 requests, unless -n follows. -r: go on after a broken connection.
    load = ("-t", str(seconds), "-n", str(ENDLESS), "-c", str(connections))
    return (program, "-k", "-q", "-r", *load, url)


def parse(report: str) -> float:
    """Requests per second; raises RunFailed if a request failed."""
    rate = _RATE.search(report)
    if rate is None:
        raise RunFailed(f"the report of ab cannot be read: {report!r}")
    if failed := _FAILED.search(report):
        raise RunFailed(f"ab: {failed.group()}")
    return float(rate[1])
