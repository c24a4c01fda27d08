"""Percentiles by the nearest rank, of the probe and of load runs alike."""

import math
from collections.abc import Sequence


def nearest_rank(ordered: Sequence[int], percent: float) -> int:
    """The smallest of the ordered values that at least `percent` % of them do not exceed.

    This is the nearest-rank method, definition 1 in Hyndman and Fan, "Sample Quantiles in
    Statistical Packages", The American Statistician 50 (1996). The result is
    always one of the values, so p99 never exceeds the maximum, as interpolated or bucketed
    percentiles may.

    Raises ValueError for no values and for a percent outside 0 to 100.
    """
    if not ordered:
        raise ValueError("No values, so no percentile.")
    if not 0 <= percent <= 100:
        raise ValueError(f"A percentile is between 0 and 100, not {percent}.")
    # Multiplying first keeps whole percents exact: 0.07 * 100 would round up to rank 8.
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(rank, 1) - 1]
