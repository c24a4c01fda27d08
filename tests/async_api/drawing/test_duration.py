"""Durations are formatted for people."""

import pytest

from async_api.drawing.duration import duration, duration_range


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [
        (0, "0 µs"),
        (640, "640 µs"),
        (999.4, "999 µs"),
        (999.6, "1 ms"),
        (12_345, "12.3 ms"),
        (999_600, "1 s"),
        (1_250_000, "1.25 s"),
        (600_000_000, "600 s"),
        (12_345_000_000, "12300 s"),
    ],
)
def test_a_duration_is_shown_in_a_fitting_unit(microseconds: float, words: str) -> None:
    assert duration(microseconds) == words


def test_a_duration_shows_the_given_number_of_digits() -> None:
    assert duration(12_345, digits=6) == "12.345 ms"


@pytest.mark.parametrize(
    ("lower", "upper", "words"),
    [
        (6_000, 8_000, "6–8 ms"),
        (0, 5_000, "0–5 ms"),
        (800, 1_000, "800 µs – 1 ms"),
        (1_000_000, 1_250_000, "1–1.25 s"),
    ],
)
def test_a_range_names_its_unit_once_where_it_can(
    lower: float, upper: float, words: str
) -> None:
    assert duration_range(lower, upper) == words
