"""The timeline shows when each request ran, for one request or a thousand."""

import pytest
from hypothesis import given

from async_api.probe.measurement import Sample
from async_api.probe.outcome import Outcome
from async_api.probe.timeline import timeline
from tests.async_api.probe.pictures import (
    MS,
    a_thousand,
    answer,
    failure,
    render,
    sample_lists,
    times,
)


def test_a_timeline_of_hand_computed_bars() -> None:
    figure = timeline(
        [
            answer(40 * MS, start=60 * MS, status=503),
            answer(50 * MS, start=0),
            failure(30 * MS, start=20 * MS),
        ],
        wall_time=200 * MS,
    )

    assert [(each.label, each.path) for each in figure.series] == [
        ("answered 2xx", "M0 9h25"),
        ("answered 5xx", "M30 45h20"),
        ("failed", "M10 27h15"),
    ]
    assert figure.height == 54
    assert [tick.label for tick in figure.row_ticks] == [
        "1 · 200",
        "2 · failed",
        "3 · 503",
    ]
    assert figure.table.rows == (
        ("1", "0 µs", "50 ms", "200"),
        ("2", "20 ms", "30 ms", "failed: timeout"),
        ("3", "60 ms", "40 ms", "503"),
    )
    assert figure.summary == (
        "3 requests within 200 ms, at most 2 at the same time: 1 answered 2xx, "
        "1 answered 5xx, 1 failed. Number 1 took longest, 50 ms."
    )


def test_a_request_that_starts_when_another_ends_does_not_overlap_it() -> None:
    one_by_one = [answer(10, start=number * 10) for number in range(5)]

    assert "at most 1 at the same time" in timeline(one_by_one, 50).summary


def test_requests_that_took_no_measurable_time_are_drawn() -> None:
    instant = [answer(0, start=7)] * 3

    assert "at most 3 at the same time" in timeline(instant, 10).summary


def test_a_quick_failure_among_a_thousand_is_large_enough_to_see() -> None:
    figure = timeline(a_thousand(), 600 * MS)

    success, failed = figure.series
    assert success.thickness < 1
    assert failed.kind == Outcome.FAILED
    assert failed.thickness >= 3
    assert min(bar.width for bar in failed.bars) >= 1


def test_a_timeline_of_a_thousand_is_bounded_and_its_table_is_short() -> None:
    figure = timeline(a_thousand(), 600 * MS)

    assert figure.height == 480
    assert len(figure.table.rows) == 20
    assert figure.table.rows[0][0] == "1 to 50"
    assert figure.table.rows[-1][0] == "951 to 1,000"
    assert [tick.label for tick in figure.row_ticks][-1] == "1,000"


def test_a_timeline_of_nothing_says_so_and_draws_nothing() -> None:
    page = render("timeline", timeline([], 0))

    assert page.words(".//figcaption/span") == [
        "No request was sent, so there is nothing to draw."
    ]
    assert page.count(".//svg") == 0


@given(sample_lists, times)
def test_every_request_is_a_bar_within_the_axis_in_order_of_start(
    samples: list[Sample], wall_time: int
) -> None:
    figure = timeline(samples, wall_time)

    bars = [bar for each in figure.series for bar in each.bars]
    assert len(bars) == len(samples)
    for bar in bars:
        assert 0 <= bar.x < bar.x + bar.width <= 100.01
        assert 0 < bar.y < figure.height
    rising = [bar.x for bar in sorted(bars, key=lambda bar: bar.y)]
    starts = sorted(figure.axis.position(sample.start) for sample in samples)
    # A bar that starts at the very end is moved in until its least width fits.
    assert rising == pytest.approx(starts, abs=1.0)
    assert figure.axis.upper >= max([wall_time, *(sample.end for sample in samples)])


@given(sample_lists)
def test_a_short_table_has_every_request_and_a_long_one_counts_them(
    samples: list[Sample],
) -> None:
    table = timeline(samples, 1).table

    assert len(table.rows) <= 20
    assert all(len(row) == len(table.columns) for row in table.rows)
    if len(samples) <= 20:
        assert len(table.rows) == len(samples)
    else:
        counted = sum(int(cell) for row in table.rows for cell in row[3:])
        assert counted == len(samples)


def test_the_drawing_has_every_bar() -> None:
    page = render("timeline", timeline(a_thousand(), 600 * MS))

    paths = [path.get("d", "") for path in page.root.findall("svg/svg/path")]
    assert sum(path.count("M") for path in paths) == 1_000


def test_the_legend_explains_each_outcome_in_the_timeline() -> None:
    statuses = (200, 304, 404, 500, 101)
    samples = [failure(5), *(answer(5, status=status) for status in statuses)]

    page = render("timeline", timeline(samples, 5))

    assert page.words("ul/li") == [
        "answered 1xx",
        "answered 2xx",
        "answered 3xx",
        "answered 4xx",
        "answered 5xx",
        "failed",
    ]


def test_a_long_table_has_no_column_for_an_outcome_that_did_not_occur() -> None:
    table = timeline([answer(5)] * 20 + [answer(5, status=401)], 5).table

    assert table.columns[3:] == ("answered 2xx", "answered 4xx")


def test_a_thousand_bars_are_a_small_page() -> None:
    page = render("timeline", timeline(a_thousand(), 600 * MS))

    assert len(page.text) < 40_000
