"""How fast was a client, once and over several rounds?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from async_api.probe.measurement import percentile


class RunFailed(Exception):
    """Something went wrong, so that the numbers would compare unlike things."""


@dataclass(frozen=True, slots=True)
class Run:
    """One client's turn."""

    requests_per_second: float
    p50: int  # microseconds, as the client reports them
    p99: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What several rounds gave."""

    median: float
    least: float
    most: float


def run_of(times: Iterable[int], wall_time: int) -> Run:
    """A turn of requests that took these microseconds, all within `wall_time`."""
    ordered = sorted(times)
    return Run(
        requests_per_second=len(ordered) * 1_000_000 / wall_time,
        p50=percentile(ordered, 50),
        p99=percentile(ordered, 99),
    )


def spread(values: Iterable[float]) -> Spread:
    """Raises ValueError for no values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("No values, so no spread.")
    return Spread(median(ordered), ordered[0], ordered[-1])


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours by theirs, round by round: whatever slows the machine slows both.

    Raises ValueError unless there are as many of either.
    """
    return spread(one / another for one, another in zip(ours, theirs, strict=True))
