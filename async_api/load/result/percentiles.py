"""Exact percentiles by nearest rank, with intervals that suppose no distribution.

The interval of a percentile is between two of the ordered values. Their ranks follow from
the binomial distribution of the number of values below the true percentile (David and
Nagaraja, "Order Statistics", section 7.1), which is summed exactly.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from async_api.nearest_rank import nearest_rank

PERCENTS = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)
# Of the two-sided interval of 95 %, the probability on each side.
TAIL = 0.025
# Standard deviations below the mean of a binomial where its sum starts. What is further
# below adds less than 1e-10.
_FAR = 12


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of some values, and the interval that contains the true one.

    A bound is None where there are too few values to know it. Without an upper bound,
    the true percentile is at least `value`, as far as the values tell.
    """

    percent: float
    value: int
    lower: int | None
    upper: int | None

    @property
    def name(self) -> str:
        """Such as "p95" and "p99.9"."""
        return f"p{self.percent:g}"

    @property
    def is_known(self) -> bool:
        return self.lower is not None and self.upper is not None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of times, in microseconds."""

    count: int
    minimum: int
    mean: float
    percentiles: tuple[Percentile, ...]  # rising
    maximum: int

    def percentile(self, percent: float) -> Percentile:
        """Raises KeyError for one that was not asked for."""
        for each in self.percentiles:
            if each.percent == percent:
                return each
        raise KeyError(percent)

    @property
    def median(self) -> int:
        return self.percentile(50).value


def percentile(ordered: Sequence[int], percent: float) -> Percentile:
    """A percentile of the ordered values; raises ValueError as `nearest_rank` does."""
    value = nearest_rank(ordered, percent)
    lower, upper = interval_ranks(len(ordered), percent)
    return Percentile(
        percent,
        value,
        None if lower is None else ordered[lower - 1],
        None if upper is None else ordered[upper - 1],
    )


def statistics(
    times: Iterable[int], percents: Sequence[float] = PERCENTS
) -> Statistics | None:
    """None where there are no times."""
    ordered = sorted(times)
    if not ordered:
        return None
    return Statistics(
        count=len(ordered),
        minimum=ordered[0],
        mean=sum(ordered) / len(ordered),
        percentiles=tuple(percentile(ordered, percent) for percent in percents),
        maximum=ordered[-1],
    )


@lru_cache(maxsize=1024)
def interval_ranks(count: int, percent: float) -> tuple[int | None, int | None]:
    """The ranks, from 1, of the ordered values that bound a percentile with 95 %.

    Each bound is wrong with a probability of at most 2.5 %. A rank is None where even
    the first or the last value would be wrong more often.
    """
    share = percent / 100
    below = _lowest_rank(count, share)
    # The values above the percentile are binomial with the other share.
    above = _lowest_rank(count, (100 - percent) / 100)
    return below or None, count - above + 1 if above else None


def fewest_values(percent: float) -> int:
    """How many values it takes to bound a percentile on both sides; raises ValueError.

    All of n values are below the true percentile with probability share ** n.
    """
    rarer = max(percent, 100 - percent) / 100
    if not 0 < rarer < 1:
        raise ValueError(f"No number of values bounds the percentile {percent}.")
    return math.ceil(math.log(TAIL) / math.log(rarer))


def _lowest_rank(count: int, share: float) -> int:
    """The largest r with P(B < r) <= TAIL, for B binomial with `count` and `share`."""
    if share <= 0 or count == 0:
        return 0
    if share >= 1:
        return count
    deviation = math.sqrt(count * share * (1 - share))
    successes = max(0, math.floor(count * share - _FAR * deviation))
    probability = math.exp(
        math.lgamma(count + 1)
        - math.lgamma(successes + 1)
        - math.lgamma(count - successes + 1)
        + successes * math.log(share)
        + (count - successes) * math.log1p(-share)
    )
    odds = share / (1 - share)
    total = probability
    while total <= TAIL and successes < count:
        probability *= (count - successes) / (successes + 1) * odds
        successes += 1
        total += probability
    return successes
