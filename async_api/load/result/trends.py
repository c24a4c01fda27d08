"""Tests for a trend over a run's seconds, which suppose no distribution."""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import median


def kendall_deviations(values: Sequence[float]) -> float:
    """How many standard deviations the Mann–Kendall statistic is from no trend.

    Positive where values rise. Computed without the correction for ties, which makes it
    smaller than it could be; 0 for fewer than two values.
    """
    count = len(values)
    if count < 2:
        return 0.0
    score = sum(
        (after > before) - (after < before) for before, after in combinations(values, 2)
    )
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    # Continuity correction: S moves in steps of 2.
    return math.copysign(max(abs(score) - 1, 0), score) / deviation


def theil_sen_slope(values: Sequence[float]) -> float:
    """The median of the slopes between all pairs, per step; 0 for fewer than two."""
    if len(values) < 2:
        return 0.0
    return median(
        (values[j] - values[i]) / (j - i)
        for i, j in combinations(range(len(values)), 2)
    )
