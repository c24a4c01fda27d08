"""The load generators that ours is compared with."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.clients import wrk
from benchmarks.clients.peers import ab, aiolocust, autocannon, hey, locust
from benchmarks.clients.peers.installation import (
    from_debian,
    from_npm,
    python_of_peers,
)


@dataclass(frozen=True, slots=True)
class Peer:
    """How one is installed and run, and how its report is read.

    ``command`` takes its program, a URL, the connections and the seconds; ``parse``
    returns requests per second.
    """

    name: str
    language: str
    install: Callable[[], Path]
    command: Callable[[str, str, int, int], tuple[str, ...]]
    parse: Callable[[str], float]


def wrk_command(
    program: str, url: str, connections: int, seconds: int
) -> tuple[str, ...]:
    load = (f"--connections={connections}", f"--duration={seconds}s")
    return (program, "--threads=1", "--latency", *load, url)


def wrk_rate(report: str) -> float:
    return wrk.parse(report).requests_per_second


WRK = Peer("wrk", "C", partial(from_debian, "wrk", "wrk"), wrk_command, wrk_rate)
PEERS = (
    WRK,
    Peer("ab", "C", partial(from_debian, "ab", "apache2-utils"), ab.command, ab.parse),
    Peer("hey", "Go", partial(from_debian, "hey", "hey"), hey.command, hey.parse),
    Peer(
        "autocannon",
        "Node",
        partial(from_npm, autocannon.PACKAGE, autocannon.VERSION),
        autocannon.command,
        autocannon.parse,
    ),
    Peer("Locust", "Python", python_of_peers, locust.command, locust.parse),
    Peer("aiolocust", "Python", aiolocust.install, aiolocust.command, aiolocust.parse),
)
