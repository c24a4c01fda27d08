"""The numbers of a probe are right, and the verdict says if they cannot be trusted."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.drawing.duration import duration
from async_api.nearest_rank import nearest_rank
from async_api.outbound.failures import FailureKind
from async_api.probe.measurement import (
    Latency,
    Sample,
    Summary,
    latency,
    summarize,
    verdict,
)
from async_api.probe.nearness import Nearness
from async_api.verdict_word import Word

MS = 1_000

times = st.integers(min_value=0, max_value=60_000_000)
answers = st.builds(
    Sample,
    start=times,
    time=times,
    status=st.integers(min_value=200, max_value=599),
    body_length=st.integers(min_value=0, max_value=10_485_760),
)
failures = st.builds(Sample, start=times, time=times, kind=st.sampled_from(FailureKind))
samples = st.lists(answers | failures, max_size=50)


def answered(times: Iterable[int], status: int = 200) -> list[Sample]:
    return [Sample(start=0, time=time, status=status) for time in times]


def a_good_summary() -> Summary:
    return summarize(answered([10 * MS] * 100), requested=100, wall_time=1_000 * MS)


def test_a_sample_ends_one_duration_after_its_start() -> None:
    sample = Sample(start=1_500, time=2_000, status=200)

    assert sample.end == 3_500


@pytest.mark.parametrize(
    ("status", "succeeded"),
    [(101, True), (200, True), (302, True), (399, True), (404, False), (500, False)],
)
def test_a_response_is_a_success_unless_its_status_is_an_error(
    status: int, succeeded: bool
) -> None:
    sample = Sample(start=0, time=1, status=status)

    assert sample.answered
    assert sample.succeeded is succeeded


def test_a_failure_is_neither_a_response_nor_a_success() -> None:
    sample = Sample(start=0, time=1, kind=FailureKind.TLS)

    assert not sample.answered
    assert not sample.succeeded


@pytest.mark.parametrize("status", [None, 200])
def test_a_sample_has_either_a_status_or_a_kind(
    status: int | None,
) -> None:
    kind = FailureKind.DNS if status else None

    with pytest.raises(ValueError, match="either a status or a failure kind"):
        Sample(start=0, time=1, status=status, kind=kind)


@pytest.mark.parametrize(
    ("percent", "expected"),
    # The worked example of the nearest rank: 15, 20, 35, 40, 50.
    [(0, 15), (5, 15), (20, 15), (30, 20), (40, 20), (50, 35), (81, 50), (100, 50)],
)
def test_a_percentile_is_the_value_at_the_nearest_rank(
    percent: float, expected: int
) -> None:
    assert nearest_rank([15, 20, 35, 40, 50], percent) == expected


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_whole_percent_of_a_hundred_values_has_exactly_that_rank(
    percent: int,
) -> None:
    assert nearest_rank(range(1, 101), percent) == percent


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="No values"):
        nearest_rank([], 50)


@pytest.mark.parametrize("percent", [-1, 100.1])
def test_a_percent_outside_its_range_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match=f"between 0 and 100, not {percent}"):
        nearest_rank([1], percent)


def test_latency_is_exact_for_a_hand_computed_case() -> None:
    shuffled = [7, 3, 10, 1, 9, 5, 2, 8, 6, 40]

    assert latency(shuffled) == Latency(
        count=10,
        minimum=1,
        mean=9.1,
        p50=6,
        p75=9,
        p90=10,
        p95=40,
        p99=40,
        maximum=40,
    )


def test_without_times_there_is_no_latency() -> None:
    assert latency([]) is None


@given(st.lists(times, min_size=1, max_size=200))
def test_percentiles_rise_and_are_measured_values(values: list[int]) -> None:
    result = latency(values)

    assert result is not None
    rising = [
        result.minimum,
        result.p50,
        result.p75,
        result.p90,
        result.p95,
        result.p99,
        result.maximum,
    ]
    assert rising == sorted(rising)
    assert set(rising) <= set(values)
    assert result.minimum <= result.mean <= result.maximum
    assert result.count == len(values)


@given(st.lists(times, min_size=1), st.integers(min_value=0, max_value=100))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(
    values: list[int], percent: int
) -> None:
    result = nearest_rank(sorted(values), percent)

    not_above = sum(value <= result for value in values)
    below = sum(value < result for value in values)
    assert not_above * 100 >= percent * len(values)
    assert below == 0 or below * 100 < percent * len(values)


def test_a_summary_is_exact_for_a_hand_computed_case() -> None:
    refused = Sample(start=0, time=50, kind=FailureKind.REFUSED, message="Not allowed.")
    cut_off = Sample(start=0, time=9_000, body_length=500, kind=FailureKind.TOO_LARGE)
    summary = summarize(
        [
            Sample(start=0, time=2_000, status=200, body_length=10),
            Sample(start=0, time=4_000, status=302, body_length=20),
            Sample(start=0, time=100, status=404, body_length=3),
            Sample(start=0, time=300, status=503),
            Sample(start=0, time=3_000, status=200, body_length=10),
            refused,
            cut_off,
            refused,
        ],
        requested=10,
        wall_time=20_000,
    )

    assert summary == Summary(
        requested=10,
        sent=8,
        answered=5,
        failed=3,
        unsent=2,
        wall_time=20_000,
        requests_per_second=250.0,
        bytes=543,
        statuses={200: 2, 302: 1, 404: 1, 503: 1},
        reconnects=0,
        failures={"refused": 2, "too_large": 1},
        latency=Latency(3, 2_000, 3_000.0, 3_000, 4_000, 4_000, 4_000, 4_000, 4_000),
        other_latency=Latency(2, 100, 200.0, 100, 300, 300, 300, 300, 300),
    )


def test_statuses_and_failures_are_in_order() -> None:
    mixed = [
        Sample(start=0, time=1, status=503),
        Sample(start=0, time=1, status=200),
        Sample(start=0, time=1, kind=FailureKind.TIMEOUT),
        Sample(start=0, time=1, kind=FailureKind.CONNECT),
    ]

    summary = summarize(mixed, requested=4, wall_time=1)

    assert list(summary.statuses) == [200, 503]
    assert list(summary.failures) == ["connect", "timeout"]


def test_a_probe_that_sent_nothing_has_a_summary() -> None:
    summary = summarize([], requested=5, wall_time=0)

    assert (summary.sent, summary.unsent, summary.bytes) == (0, 5, 0)
    assert summary.requests_per_second == 0.0
    assert summary.latency is None
    assert summary.other_latency is None


@given(samples, times, st.integers(min_value=0, max_value=10))
def test_every_request_is_counted_once(
    samples: list[Sample], wall_time: int, unsent: int
) -> None:
    summary = summarize(samples, len(samples) + unsent, wall_time)

    assert summary.sent == summary.answered + summary.failed == len(samples)
    assert summary.requested == summary.sent + summary.unsent
    assert summary.answered == sum(summary.statuses.values())
    assert summary.failed == sum(summary.failures.values())
    fast = summary.latency.count if summary.latency else 0
    other = summary.other_latency.count if summary.other_latency else 0
    assert fast + other == summary.answered


def test_a_quiet_site_that_sent_everything_is_trusted_without_notes() -> None:
    result = verdict(a_good_summary(), busy=0.3, lag=2 * MS)

    assert result.trusted
    assert result.verdict is Word.VALID
    assert result.reasons == ()
    assert result.notes == ()


def test_a_busy_cpu_is_named_as_the_limit() -> None:
    result = verdict(a_good_summary(), busy=0.97, lag=0)

    assert not result.trusted
    assert result.verdict is Word.INVALID
    (reason,) = result.reasons
    assert "own CPU was the limit, busy 97% of the time" in reason


def test_a_lag_is_suspect_and_a_busy_cpu_is_worse() -> None:
    lag = 400 * MS

    assert verdict(a_good_summary(), busy=0.1, lag=lag).verdict is Word.SUSPECT
    assert verdict(a_good_summary(), busy=0.97, lag=lag).verdict is Word.INVALID


def test_a_cpu_share_above_100_percent_is_shown_as_100() -> None:
    (reason,) = verdict(a_good_summary(), busy=1.04, lag=0).reasons

    assert "busy 100% of the time" in reason


def test_a_cpu_just_below_the_limit_is_not_busy() -> None:
    assert verdict(a_good_summary(), busy=0.89, lag=0).trusted


@pytest.mark.parametrize(("wall_time", "trusted"), [(49_999, True), (50_000, False)])
def test_a_short_probe_is_not_judged_by_its_cpu_time(
    wall_time: int, trusted: bool
) -> None:
    summary = replace(a_good_summary(), wall_time=wall_time)

    assert verdict(summary, busy=1.0, lag=0).trusted is trusted


@pytest.mark.parametrize(
    ("median", "lag", "trusted"),
    [
        (10 * MS, 20 * MS, True),
        (10 * MS, 21 * MS, False),
        (100 * MS, 50 * MS, True),
        (100 * MS, 51 * MS, False),
    ],
)
def test_a_lag_counts_if_it_is_long_compared_with_a_typical_request(
    median: int, lag: int, trusted: bool
) -> None:
    summary = summarize(answered([median] * 100), requested=100, wall_time=1_000 * MS)

    result = verdict(summary, busy=0.1, lag=lag)

    assert result.trusted is trusted
    if not trusted:
        (reason,) = result.reasons
        assert f"was blocked for {duration(lag)}" in reason


def test_a_lag_counts_even_if_nothing_succeeded() -> None:
    refused = Sample(start=0, time=5, kind=FailureKind.CONNECT)
    summary = summarize([refused], requested=1, wall_time=100 * MS)

    assert not verdict(summary, busy=0.1, lag=21 * MS).trusted


def test_unsent_requests_are_reported() -> None:
    summary = summarize(
        answered([10 * MS] * 100), requested=1_112, wall_time=1_000 * MS
    )

    result = verdict(summary, busy=0.1, lag=0)

    assert not result.trusted
    (reason,) = result.reasons
    assert "before 1,012 of 1,112 requests were sent" in reason


def test_a_target_that_shares_the_probe_s_processes_is_not_trusted() -> None:
    result = verdict(a_good_summary(), busy=0.1, lag=0, nearness=Nearness.SAME_SITE)

    assert not result.trusted
    (reason,) = result.reasons
    assert reason.startswith("The target is this site itself")


def test_a_target_on_the_same_machine_is_trusted_with_a_note() -> None:
    result = verdict(a_good_summary(), busy=0.1, lag=0, nearness=Nearness.SAME_MACHINE)

    assert result.trusted
    assert result.notes == (
        "The target runs on this machine and shares its processors.",
    )


def test_all_reasons_are_given() -> None:
    summary = replace(a_good_summary(), unsent=1)

    assert len(verdict(summary, busy=1.0, lag=500 * MS).reasons) == 3


@pytest.mark.parametrize(
    ("succeeded", "note"),
    [
        (1, "With 1 successful request, p95 and p99 are just the slowest"),
        (19, "With 19 successful requests, p95 and p99 are just the slowest"),
        (20, "With 20 successful requests, p99 is just the slowest"),
        (99, "With 99 successful requests, p99 is just the slowest"),
    ],
)
def test_few_samples_are_trusted_with_a_note(succeeded: int, note: str) -> None:
    summary = summarize(
        answered(range(succeeded)) + answered([5], status=404),
        requested=succeeded + 1,
        wall_time=1_000 * MS,
    )

    result = verdict(summary, busy=0.1, lag=0)

    assert result.trusted
    (said,) = result.notes
    assert said.startswith(note)


def test_a_probe_without_a_success_is_not_trusted() -> None:
    summary = summarize(answered([5, 6], status=404), 2, 1_000 * MS)

    result = verdict(summary, busy=0.1, lag=0)

    assert not result.trusted
    assert result.reasons[0].startswith("No request was answered with 2xx or 3xx")
    assert result.notes == ()


@given(st.integers(min_value=1, max_value=120))
def test_a_note_is_given_exactly_where_a_percentile_is_the_maximum(count: int) -> None:
    summary = summarize(answered(range(count)), count, 1_000 * MS)

    notes = " ".join(verdict(summary, busy=0, lag=0).notes)

    assert summary.latency is not None
    slowest = summary.latency.maximum
    assert ("p95 and" in notes) is (summary.latency.p95 == slowest)
    assert ("p99" in notes) is (summary.latency.p99 == slowest)
