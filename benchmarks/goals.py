"""What is good enough?"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.memory import REQUESTS, Footprints
from benchmarks.race import PROBE, WRK, Runs
from benchmarks.run import Run, Spread, ratio, spread

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
