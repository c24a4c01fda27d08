"""What might a benchmark of the peers have measured?"""

from benchmarks.peers import DJANGO, HELLO, ORM, SITE, STARLETTE, Peer, Row
from benchmarks.run import Run
from benchmarks.turns import Result, Turn


def result(peer: Peer, *cpu: float, route: str = HELLO, errors: int = 0) -> Result:
    """A turn for each CPU time a request, in microseconds."""
    run = Run(1_000, p50=2_000, p99=30_000)
    return Result(
        Row(route, peer, f"/{route}"),
        idle_bytes=50_000_000,
        turns=tuple(Turn(run, each, errors) for each in cpu),
    )


RESULTS = (
    result(STARLETTE, 40, 50),
    result(DJANGO, 2_000, 2_500, errors=3),
    result(SITE, 200, 200),
    result(DJANGO, 4_000, 4_000, route=ORM),
    result(SITE, 2_000, 2_800, route=ORM),
)
