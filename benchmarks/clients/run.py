"""The speed of a client in one run, and its spread over several rounds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from async_api.nearest_rank import nearest_rank


class RunFailed(Exception):
    """A run had errors, so its numbers are not comparable."""


@dataclass(frozen=True, slots=True)
class Run:
    """One client's turn."""

    requests_per_second: float
    p50: int  # microseconds, as the client reports them
    p99: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and the extremes of several rounds."""

    median: float
    least: float
    most: float


def run_of(times: Iterable[int], wall_time: int) -> Run:
    """A run from the times of its requests and its wall time, all in microseconds."""
    ordered = sorted(times)
    return Run(
        requests_per_second=len(ordered) * 1_000_000 / wall_time,
        p50=nearest_rank(ordered, 50),
        p99=nearest_rank(ordered, 99),
    )


def spread(values: Iterable[float]) -> Spread:
    """Raises ValueError if there are no values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("No values: a spread needs at least one.")
    return Spread(median(ordered), ordered[0], ordered[-1])


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratios of ours to theirs within each round, where load on the machine slows both.

    Raises ValueError if their numbers of rounds differ.
    """
    return spread(one / another for one, another in zip(ours, theirs, strict=True))
