"""Sample results of a benchmark of the peers."""

from benchmarks.clients.run import Run
from benchmarks.measuring.turns import Result, Turn
from benchmarks.servers.peers import (
    DJANGO,
    HELLO,
    ORM,
    SITE,
    STARLETTE,
    Peer,
    Route,
    Row,
)


def result(
    peer: Peer,
    *cpu: float,
    route: Route = HELLO,
    errors: int = 0,
    rate: float = 1_000,
    p50: int = 2_000,
) -> Result:
    """A result with one turn for each CPU time per request, in microseconds."""
    run = Run(rate, p50, p99=30_000)
    return Result(
        Row(route, peer, f"/{route.name}"),
        idle_bytes=50_000_000,
        turns=tuple(Turn(run, each, 7, errors) for each in cpu),
    )


RESULTS = (
    result(STARLETTE, 40, 50),
    result(DJANGO, 2_000, 2_500, errors=3),
    result(SITE, 200, 200),
    result(DJANGO, 4_000, 4_000, route=ORM),
    result(SITE, 2_000, 2_800, route=ORM),
)
