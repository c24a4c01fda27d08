"""What is good enough?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.memory import REQUESTS, Footprints
from benchmarks.peers import DJANGO, HELLO, ORM, SITE, STARLETTE, Peer
from benchmarks.race import PROBE, WRK, Runs
from benchmarks.run import Run, Spread, ratio, spread
from benchmarks.turns import Result

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for a median: at most, or at least, so much is good."""

    what: str
    measured: Spread
    bound: float
    at_most: bool

    @property
    def met(self) -> bool:
        if self.at_most:
            return self.measured.median <= self.bound
        return self.measured.median >= self.bound


def fast_enough(runs: Runs) -> Goal:
    by_wrk = probe_by_wrk(runs, lambda run: run.requests_per_second)
    return Goal("Requests a second, by wrk's", by_wrk, 0.4, at_most=False)


def true_enough(runs: Runs) -> Goal:
    by_wrk = probe_by_wrk(runs, lambda run: run.p50)
    return Goal("p50, by wrk's", by_wrk, 1.05, at_most=True)


def small_enough(footprints: Footprints) -> Goal:
    peaks = spread(
        footprint.peak / MEGABYTE
        for probes in footprints.values()
        for footprint in probes
    )
    return Goal(f"MB that {REQUESTS:,} requests add", peaks, 10, at_most=True)


def given_back(footprints: Footprints) -> Goal:
    """What the allocator holds after the first probe, the next ones use again."""
    growth = spread(
        (probes[-1].kept - probes[0].kept) / MEGABYTE for probes in footprints.values()
    )
    return Goal("MB that all later probes leave behind", growth, 2, at_most=True)


def probe_by_wrk(runs: Runs, number: Callable[[Run], float]) -> Spread:
    return ratio(*([number(run) for run in runs[client]] for client in (PROBE, WRK)))


def serving_goals(results: Sequence[Result]) -> tuple[Goal, ...]:
    """Those of them whose rows have been measured."""
    bounds = (
        (HELLO, DJANGO, 1 / 10),
        (HELLO, STARLETTE, 6),
        (ORM, DJANGO, 1 / 2),
    )
    return tuple(
        Goal(f"CPU of {route}, by that of {peer.title}", measured, bound, at_most=True)
        for route, peer, bound in bounds
        if (measured := cpu_ratio(results, route, SITE, peer))
    )


def cpu_ratio(
    results: Sequence[Result], route: str, one: Peer, another: Peer
) -> Spread | None:
    """What a request costs one peer by what it costs the other, if both were measured."""
    cpu = {
        result.row.peer: result.cpu for result in results if result.row.route == route
    }
    if one not in cpu or another not in cpu:
        return None
    return ratio(cpu[one], cpu[another])
