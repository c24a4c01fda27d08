"""The histogram shows and describes every response, however the times are spread."""

import pytest
from hypothesis import given

from async_api.probe.distribution import Column, distribution
from async_api.probe.measurement import Sample
from async_api.probe.outcome import STATUSES, Outcome, outcome_of
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

    assert [(each.lower, each.upper, each.counts) for each in figure.bins] == [
        (10_000, 15_000, {Outcome.SUCCESS: 3, Outcome.CLIENT_ERROR: 1}),
        (15_000, 20_000, {Outcome.SUCCESS: 1}),
        (20_000, 25_000, {}),
        (25_000, 30_000, {}),
        (30_000, 35_000, {}),
        (35_000, 40_000, {Outcome.SUCCESS: 1}),
    ]
    # Four requests fill 190 of the 200 pixels, a sixth of the width a column.
    assert figure.columns == (
        Column(Outcome.SUCCESS, 0.0, 16.67, 57.5, 142.5),
        Column(Outcome.CLIENT_ERROR, 0.0, 16.67, 10.0, 47.5),
        Column(Outcome.SUCCESS, 16.67, 16.66, 152.5, 47.5),
        Column(Outcome.SUCCESS, 83.33, 16.67, 152.5, 47.5),
    )
    assert figure.table.columns == ("Response time", "answered 2xx", "answered 4xx")
    assert figure.table.rows[0] == ("10–15 ms", "3", "1")
    assert [tick.label for tick in figure.count_ticks] == ["0", "1", "2", "3", "4"]
    assert figure.summary == (
        "5 requests were answered 2xx: half within 13 ms, 95 % within 35 ms, "
        "99 % within 35 ms, the slowest in 35 ms. "
        "1 request was answered 4xx, in 12 ms. "
        "Most common: 10–15 ms (4 requests). "
        "1 request failed and so had no response time."
    )


def test_the_markers_are_at_the_percentiles_of_the_successes() -> None:
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


def test_identical_times_are_one_column_in_the_middle_of_the_axis() -> None:
    figure = distribution([answer(12_345)] * 30)

    (column,) = figure.columns
    assert 0 < column.x
    assert column.x + column.width < 100
    assert figure.summary.startswith("30 requests were answered 2xx: half within")


def test_a_single_response_is_described_in_one_short_sentence() -> None:
    figure = distribution([answer(12_345)])

    assert figure.summary == "1 request was answered 2xx, in 12.3 ms."


@pytest.mark.parametrize("samples", [[], [failure(5), failure(6)]])
def test_without_responses_the_distribution_says_so_and_draws_nothing(
    samples: list[Sample],
) -> None:
    page = render("distribution", distribution(samples))

    assert page.words(".//figcaption/span") == [
        "No request was answered, so there are no response times to draw."
    ]
    assert page.count(".//svg") == 0


def test_error_responses_alone_have_no_percentiles() -> None:
    figure = distribution([answer(5 * MS, status=503), answer(7 * MS, status=404)])

    assert figure.summary == (
        "1 request was answered 4xx, in 7 ms. 1 request was answered 5xx, in 5 ms."
    )
    assert figure.markers == ()
    assert {column.kind for column in figure.columns} == {
        Outcome.CLIENT_ERROR,
        Outcome.SERVER_ERROR,
    }


@given(sample_lists)
def test_the_bins_have_every_response_and_the_columns_stay_in_the_plot(
    samples: list[Sample],
) -> None:
    figure = distribution(samples)

    for outcome in STATUSES:
        drawn = sum(each.counts.get(outcome, 0) for each in figure.bins)
        assert drawn == [outcome_of(sample) for sample in samples].count(outcome)
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


def test_the_legend_has_exactly_the_outcomes_that_occurred() -> None:
    only_errors = distribution([answer(5, status=401)] * 20)
    mixed = distribution([answer(5), answer(6, status=304), answer(7, status=500)])

    assert render("distribution", only_errors).words("ul/li") == ["answered 4xx"]
    assert render("distribution", mixed).words("ul/li") == [
        "answered 2xx",
        "answered 3xx",
        "answered 5xx",
        "percentiles of 2xx and 3xx",
    ]
