"""Percentiles, spreads and ratios of rounds."""

import pytest

from benchmarks.clients.run import Run, Spread, ratio, run_of, spread


def test_a_run_of_hand_computed_times() -> None:
    times = [*range(1, 100), 5_000]

    assert run_of(times, wall_time=50_000) == Run(2_000, p50=50, p99=99)


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert spread([5, 1, 2]) == Spread(2, 1, 5)


def test_a_spread_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="No values"):
        spread([])


def test_a_ratio_is_taken_round_by_round() -> None:
    # The second round is slow for both; medians alone would give 20 / 40.
    assert ratio([20, 5, 30], [40, 10, 40]) == Spread(0.5, 0.5, 0.75)


def test_a_ratio_of_unequal_rounds_is_refused() -> None:
    with pytest.raises(ValueError):
        ratio([1, 2], [1])
