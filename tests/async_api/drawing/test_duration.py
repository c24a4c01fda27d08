"""How is a time written for people?"""

import pytest

from async_api.drawing.duration import duration


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
def test_a_duration_reads_in_the_unit_that_fits(
    microseconds: float, words: str
) -> None:
    assert duration(microseconds) == words


def test_a_duration_shows_as_many_digits_as_asked() -> None:
    assert duration(12_345, digits=6) == "12.345 ms"
