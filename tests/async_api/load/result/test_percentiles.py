"""Percentiles are exact, and their intervals are those of the binomial distribution."""

import math
from array import array
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.load.result.percentiles import (
    PERCENTS,
    fewest_values,
    interval_ranks,
    percentile,
    statistics,
)
from async_api.nearest_rank import nearest_rank
from async_api.probe import measurement as probe

times = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=200)


def exact_ranks(count: int, percent: float) -> tuple[int | None, int | None]:
    """The definition itself, with fractions: at most 1/40 beyond each rank."""
    share = Fraction(str(percent)) / 100
    masses = [
        math.comb(count, k) * share**k * (1 - share) ** (count - k)
        for k in range(count + 1)
    ]
    lower = [r for r in range(1, count + 1) if sum(masses[:r]) <= Fraction(1, 40)]
    upper = [r for r in range(1, count + 1) if sum(masses[r:]) <= Fraction(1, 40)]
    return (lower[-1] if lower else None, upper[0] if upper else None)


@pytest.mark.parametrize(
    ("percent", "value"),
    [(0, 10), (25, 10), (25.1, 20), (50, 20), (75, 30), (75.1, 40), (100, 40)],
)
def test_a_percentile_is_the_value_at_the_nearest_rank(
    percent: float, value: int
) -> None:
    assert nearest_rank([10, 20, 30, 40], percent) == value


def test_a_percentile_of_nothing_or_beyond_100_is_an_error() -> None:
    with pytest.raises(ValueError, match="No values"):
        nearest_rank([], 50)
    with pytest.raises(ValueError, match="not 100.1"):
        nearest_rank([1], 100.1)


@given(times, st.sampled_from([50, 75, 90, 95, 99]))
def test_the_probe_has_the_same_percentiles(values: list[int], percent: int) -> None:
    latency = probe.latency(values)

    assert getattr(latency, f"p{percent}") == percentile(sorted(values), percent).value


@pytest.mark.parametrize(
    ("percent", "count"),
    [(50.0, 6), (75.0, 13), (90.0, 36), (95.0, 72), (99.0, 368), (99.9, 3688)],
)
def test_a_percentile_has_an_interval_from_this_many_values(
    percent: float, count: int
) -> None:
    assert fewest_values(percent) == count
    assert None not in interval_ranks(count, percent)
    assert interval_ranks(count - 1, percent)[1] is None


def test_no_number_of_values_bounds_the_largest_possible_one() -> None:
    with pytest.raises(ValueError, match="100"):
        fewest_values(100)


@pytest.mark.parametrize("percent", [*PERCENTS, 1.0, 12.5, 0.0, 100.0])
@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 25, 71, 72, 100, 150])
def test_ranks_are_those_of_the_summed_binomial(percent: float, count: int) -> None:
    lower, upper = exact_ranks(count, percent)
    if percent == 0:
        upper = 1
        lower = None
    if percent == 100:
        lower, upper = count, None

    assert interval_ranks(count, percent) == (lower, upper)


def test_ranks_of_a_hundred_values_are_the_tabulated_ones() -> None:
    # For the median of 100 values, tables give the 40th and the 61st.
    assert interval_ranks(100, 50.0) == (40, 61)


def test_ranks_of_a_million_values_are_near_the_normal_ones() -> None:
    lower, upper = interval_ranks(1_000_000, 50.0)

    # The mean 500,000 and 1.95996 deviations of 500 on each side.
    assert lower == pytest.approx(499_020, abs=1)
    assert upper == pytest.approx(500_981, abs=1)


@given(st.integers(1, 20_000), st.sampled_from(PERCENTS))
def test_the_interval_contains_the_rank_of_the_percentile(
    count: int, percent: float
) -> None:
    rank = math.ceil(count * percent / 100)
    lower, upper = interval_ranks(count, percent)

    assert lower is None or 1 <= lower <= rank
    assert upper is None or rank <= upper <= count


def test_a_percentile_of_too_few_values_is_only_known_from_below() -> None:
    few = percentile(range(1, 72), 95)
    enough = percentile(range(1, 73), 95)

    assert (few.value, few.lower, few.upper) == (68, 63, None)
    assert not few.is_known
    assert enough.is_known
    assert enough.upper == 72


def test_statistics_of_known_times() -> None:
    found = statistics(array("i", [30, 10, 20, 40, 60, 50]))

    assert found is not None
    assert (found.count, found.minimum, found.maximum) == (6, 10, 60)
    assert found.mean == 35
    assert found.median == 30
    assert found.percentile(50).lower == 10
    assert found.percentile(50).upper == 60
    assert [each.name for each in found.percentiles] == [
        *("p50", "p75", "p90", "p95", "p99", "p99.9")
    ]
    with pytest.raises(KeyError):
        found.percentile(98)


def test_there_are_no_statistics_of_nothing() -> None:
    assert statistics([]) is None


@given(times)
def test_percentiles_are_among_the_values_and_rise(values: list[int]) -> None:
    found = statistics(values)

    assert found is not None
    assert found.minimum == min(values)
    assert found.maximum == max(values)
    found_values = [each.value for each in found.percentiles]
    assert found_values == sorted(found_values)
    assert set(found_values) <= set(values)
    for each in found.percentiles:
        assert each.lower is None or each.lower <= each.value
        assert each.upper is None or each.value <= each.upper
