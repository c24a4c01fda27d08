"""Trends are found by signs and by the median slope."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.load.result.trends import kendall_deviations, theil_sen_slope

values = st.lists(st.integers(-1000, 1000), max_size=20)


def test_rising_values_are_far_from_no_trend() -> None:
    # S = 10 of 10 pairs, its variance 5 * 4 * 15 / 18.
    assert kendall_deviations([1, 2, 3, 4, 5]) == pytest.approx(9 / math.sqrt(300 / 18))


def test_equal_values_have_no_trend() -> None:
    assert kendall_deviations([3, 3, 3]) == 0
    assert kendall_deviations([1]) == 0


def test_one_outlier_does_not_change_the_slope() -> None:
    assert theil_sen_slope([0, 2, 4, 1000, 8, 10]) == 2
    assert theil_sen_slope([7]) == 0


@given(values)
def test_reversed_values_have_the_opposite_trend(found: list[int]) -> None:
    assert kendall_deviations(found[::-1]) == -kendall_deviations(found)
    assert theil_sen_slope(found[::-1]) == -theil_sen_slope(found)
