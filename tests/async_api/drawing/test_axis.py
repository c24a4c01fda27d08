"""A time axis has a small number of labels, at round times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.drawing.axis import TimeAxis, round_step

MS = 1_000


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.booleans())
def test_an_axis_has_a_few_rising_ticks_with_distinct_labels(
    lower: int, span: int, logarithmic: bool
) -> None:
    lower = max(lower, 1)
    logarithmic = logarithmic and span > 19 * lower
    axis = TimeAxis(lower, lower + span, logarithmic)

    ticks = axis.ticks()

    positions = [tick.position for tick in ticks]
    assert 1 <= len(ticks) <= 6
    assert positions == sorted(set(positions))
    assert all(0 <= position <= 100 for position in positions)
    if span >= lower / 10:
        assert len({tick.label for tick in ticks}) == len(ticks)


def test_ticks_are_round_and_have_a_fitting_unit() -> None:
    linear = TimeAxis(0, 1_900 * MS).ticks()
    logarithmic = TimeAxis(100, 2_000 * MS, logarithmic=True).ticks()

    assert [tick.label for tick in linear] == ["0 µs", "500 ms", "1 s", "1.5 s"]
    assert [tick.label for tick in logarithmic] == [
        "100 µs",
        "1 ms",
        "10 ms",
        "100 ms",
        "1 s",
    ]


def test_an_axis_over_many_decades_skips_some() -> None:
    ticks = TimeAxis(1, 10**9, logarithmic=True).ticks()

    assert [tick.label for tick in ticks] == ["1 µs", "100 µs", "10 ms", "1 s", "100 s"]


@pytest.mark.parametrize(
    ("least", "step"), [(0, 1), (1, 1), (1.1, 2), (3, 5), (6, 10), (200, 200)]
)
def test_a_step_is_one_two_or_five(least: float, step: int) -> None:
    assert round_step(least) == step
