"""Does the histogram show every answer, at any spread, and say so in words?"""

import pytest
from hypothesis import given

from async_api.probe.distribution import Column, distribution
from async_api.probe.measurement import Sample
from tests.async_api.probe.pictures import (
    MS,
    a_thousand,
    answer,
    failure,
    render,
    sample_lists,
)


def test_a_histogram_of_hand_computed_bins() -> None:
    samples = [answer(time * MS) for time in (11, 12, 13, 19, 35)]
    samples += [answer(12 * MS, status=404), failure(13 * MS)]

    figure = distribution(samples)

    assert [
        (each.lower, each.upper, each.succeeded, each.other) for each in figure.bins
    ] == [
        (10_000, 15_000, 3, 1),
        (15_000, 20_000, 1, 0),
        (20_000, 25_000, 0, 0),
        (25_000, 30_000, 0, 0),
        (30_000, 35_000, 0, 0),
        (35_000, 40_000, 1, 0),
    ]
    # Four requests fill 196 of the 200 pixels, a sixth of the width a column.
    assert figure.columns == (
        Column("succeeded", 0.0, 16.67, 53.0, 147.0),
        Column("succeeded", 16.67, 16.66, 151.0, 49.0),
        Column("succeeded", 83.33, 16.67, 151.0, 49.0),
        Column("other", 0.0, 16.67, 4.0, 49.0),
    )
    assert figure.table.rows[0] == ("10 ms to 15 ms", "3", "1")
    assert [tick.label for tick in figure.count_ticks] == ["0", "1", "2", "3", "4"]
    assert figure.summary == (
        "5 requests answered 2xx or 3xx: half within 13 ms, 95 % within 35 ms, "
        "99 % within 35 ms, the slowest in 35 ms. "
        "The fullest column, 10 ms to 15 ms, holds 3. "
        "1 request answered 4xx or 5xx, drawn in outline."
    )


def test_the_markers_stand_at_the_percentiles_of_what_succeeded() -> None:
    samples = [answer(number * MS) for number in range(101, 201)]
    samples += [answer(1, status=500)] * 100

    markers = distribution(samples).markers

    assert [marker.label for marker in markers] == [
        "p50 150 ms",
        "p95 195 ms",
        "p99 199 ms",
    ]
    axis = distribution(samples).axis
    assert axis is not None
    assert [marker.position for marker in markers] == [
        axis.position(time * MS) for time in (150, 195, 199)
    ]


@pytest.mark.parametrize(("slowest", "logarithmic"), [(20, False), (21, True)])
def test_a_wide_spread_gets_a_logarithmic_axis(slowest: int, logarithmic: bool) -> None:
    axis = distribution([answer(1 * MS), answer(slowest * MS)]).axis

    assert axis is not None
    assert axis.logarithmic is logarithmic


def test_columns_on_a_logarithmic_axis_are_about_equally_wide() -> None:
    samples = [answer(2**power * MS) for power in range(8)]

    widths = [column.width for column in distribution(samples).columns]

    assert max(widths) < 1.2 * min(widths)


def test_identical_times_are_one_column_amid_the_axis() -> None:
    figure = distribution([answer(12_345)] * 30)

    (column,) = figure.columns
    assert 0 < column.x
    assert column.x + column.width < 100
    assert figure.summary.startswith("30 requests answered 2xx or 3xx: half within")


def test_a_single_answer_is_told_in_one_short_sentence() -> None:
    figure = distribution([answer(12_345)])

    assert figure.summary == "1 request answered 2xx or 3xx, in 12.3 ms."


@pytest.mark.parametrize("samples", [[], [failure(5), failure(6)]])
def test_without_an_answer_the_distribution_says_so_and_draws_nothing(
    samples: list[Sample],
) -> None:
    page = render("distribution", distribution(samples))

    assert page.words(".//figcaption/span") == [
        "No request was answered, so there is no response time to draw."
    ]
    assert page.count(".//svg") == 0


def test_only_errors_are_told_apart_without_percentiles() -> None:
    figure = distribution([answer(5 * MS, status=503), answer(7 * MS, status=404)])

    assert figure.summary == "2 requests answered 4xx or 5xx, drawn in outline."
    assert figure.markers == ()
    assert {column.kind for column in figure.columns} == {"other"}


@given(sample_lists)
def test_the_bins_hold_every_answer_and_the_columns_stay_in_the_plot(
    samples: list[Sample],
) -> None:
    figure = distribution(samples)

    succeeded = [sample for sample in samples if sample.succeeded]
    answered = [sample for sample in samples if sample.answered]
    assert sum(each.succeeded for each in figure.bins) == len(succeeded)
    assert sum(each.other for each in figure.bins) == len(answered) - len(succeeded)
    assert len(figure.bins) <= 30
    for column in figure.columns:
        assert 0 <= column.x < column.x + column.width <= 100.01
        assert 0 <= column.y < column.y + column.height <= 200.01
    for marker in figure.markers:
        assert 0 <= marker.position <= 100


def test_the_drawing_has_every_column() -> None:
    figure = distribution(a_thousand())

    page = render("distribution", figure)

    assert page.count("svg//rect") == len(figure.columns)
