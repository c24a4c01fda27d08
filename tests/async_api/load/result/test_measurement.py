"""The numbers of a run are those computed by hand."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.load.plan.pace import asked_rate
from async_api.load.plan.plan import Closed, Rate, Steps
from async_api.load.recording import NEVER, FailedCheck, Flag, Outcome
from async_api.load.result.measurement import (
    FailureCount,
    Quantiles,
    measure,
)
from async_api.load.run import FirstFailure
from async_api.nearest_rank import nearest_rank
from tests.async_api.load.result.runs import (
    MS,
    SECOND,
    Sent,
    a_plan,
    a_request,
    a_run,
    a_second,
    steady,
)

sent_requests = st.lists(
    st.builds(
        Sent,
        planned=st.integers(0, 3 * SECOND),
        time=st.integers(0, SECOND),
        late=st.integers(0, SECOND),
        outcome=st.sampled_from([200, 302, 404, 500, *Outcome]),
        wait=st.none(),
        size=st.integers(0, 1000),
        failed_check=st.sampled_from([FailedCheck.NONE, FailedCheck.SIZE]),
        request=st.integers(0, 1),
        flags=st.integers(0, 7),
    ),
    max_size=40,
)


def test_latency_from_plan_includes_the_wait_and_from_send_does_not() -> None:
    run = a_run([Sent(time=10 * MS, late=5 * MS, wait=7 * MS)])

    timing = measure(run).successes

    assert timing.from_plan is not None and timing.from_plan.median == 15 * MS
    assert timing.from_send is not None and timing.from_send.median == 10 * MS
    assert timing.first_byte is not None and timing.first_byte.median == 7 * MS


def test_each_class_of_outcomes_is_counted_and_timed_apart() -> None:
    run = a_run(
        [
            Sent(time=1 * MS, size=10),
            Sent(time=2 * MS, outcome=404, size=20),
            Sent(time=3 * MS, failed_check=FailedCheck.CONTAINS, size=30),
            Sent(time=4 * MS, outcome=Outcome.TIMEOUT, size=5),
            Sent(time=5 * MS, outcome=Outcome.CONNECT, size=0),
            Sent(outcome=Outcome.SHED, size=0),
            Sent(time=6 * MS, outcome=Outcome.CANCELLED, size=0),
        ]
    )

    found = measure(run)

    counts = found.counts
    assert (counts.planned, counts.sent, counts.answered) == (7, 5, 3)
    assert (counts.succeeded, counts.errors, counts.unexpected) == (1, 1, 1)
    assert (counts.unanswered, counts.failed) == (2, 3)
    assert (counts.shed, counts.cancelled) == (1, 1)
    assert counts.share(counts.failed) == 3 / 6
    assert found.bytes == 65
    assert found.statuses == {200: 2, 404: 1}
    assert found.successes.from_send is not None
    assert found.successes.from_send.maximum == 1 * MS
    assert found.errors.from_send is not None
    assert found.errors.from_send.maximum == 2 * MS
    assert found.failed.from_plan is not None
    assert (found.failed.from_plan.count, found.failed.from_plan.maximum) == (3, 5 * MS)
    assert found.failed.from_send is not None
    assert found.failed.from_send.maximum == 4 * MS


def test_failures_are_counted_by_kind_with_the_time_of_the_first() -> None:
    run = a_run(
        [
            Sent(planned=30 * MS, time=4 * MS, outcome=Outcome.TIMEOUT),
            Sent(planned=10 * MS, time=4 * MS, outcome=Outcome.TIMEOUT),
            Sent(planned=5 * MS, time=1 * MS, failed_check=FailedCheck.HEADER),
        ],
        failures=(FirstFailure(kind="timeout", time=14 * MS, message="Too slow."),),
    )

    assert measure(run).failures == (
        FailureCount("timeout", "", 2, 14 * MS, "Too slow."),
        FailureCount("unexpected", "header", 1, 6 * MS, ""),
    )


def test_requests_of_the_warm_up_are_excluded_from_everything_else() -> None:
    warm = Sent(time=SECOND, outcome=500, flags=Flag.WARM_UP, late=SECOND)
    run = a_run(
        [warm, warm, Sent(planned=2 * SECOND)],
        a_plan(Closed(connections=1, requests=3), warm_up_seconds=2.0),
    )

    found = measure(run)

    assert found.counts.warm_up == 2
    assert (found.counts.planned, found.counts.errors) == (1, 0)
    assert found.statuses == {200: 1}
    assert found.lateness is not None and found.lateness.maximum == 0
    assert [each.sent for each in found.seconds] == [0, 0, 1]
    # One request in the 10 ms after the warm-up.
    assert found.rates.answered == 100


def test_requests_are_measured_by_their_name() -> None:
    plan = a_plan(None, a_request("a"), a_request("b"))
    run = a_run([Sent(time=MS), Sent(time=3 * MS, request=1), Sent(outcome=500)], plan)

    a, b = measure(run).requests

    assert (a.name, a.planned, a.succeeded, a.errors) == ("a", 2, 1, 1)
    assert (b.name, b.planned, b.succeeded, b.failed) == ("b", 1, 1, 0)
    assert b.timing.from_send is not None and b.timing.from_send.median == 3 * MS


def test_a_constant_latency_does_not_change_the_rates_of_a_kept_plan() -> None:
    found = measure(steady(100, 10, time=400 * MS))

    assert found.rates.asked == 100
    assert found.rates.sent == 100
    assert found.rates.answered == 100


def test_a_target_that_answers_slower_than_asked_lowers_the_rates() -> None:
    # 100 requests due in 1 s, of which one is sent and answered every 20 ms.
    run = a_run(
        (Sent(planned=i * 10 * MS, late=i * 10 * MS, time=20 * MS) for i in range(100)),
        a_plan(Rate(rate=100, seconds=1, connections=1)),
    )

    rates = measure(run).rates

    assert rates.sent == pytest.approx(100 / 1.98)
    assert rates.answered == pytest.approx(100 / 1.98)


def test_a_cancelled_run_is_measured_until_its_end() -> None:
    run = steady(100, 1)

    cancelled = replace(run, plan=steady(100, 2).plan, cancelled=True, duration=SECOND)

    assert measure(cancelled).rates.sent == 100


@pytest.mark.parametrize(
    ("warm_up", "rate"), [(0.0, 20.0), (10.0, 30.0), (5.0, 70 / 3), (20.0, 0.0)]
)
def test_the_rate_asked_by_steps_is_their_mean_after_the_warm_up(
    warm_up: float, rate: float
) -> None:
    steps = Steps(of="rate", values=(10, 30), seconds=10, connections=1)

    assert asked_rate(a_plan(steps, warm_up_seconds=warm_up)) == pytest.approx(rate)


def test_a_closed_load_asks_no_rate() -> None:
    steps = Steps(of="connections", values=(1, 2), seconds=10, connections=2)

    assert asked_rate(a_plan(steps)) is None
    assert asked_rate(a_plan(Closed(connections=1, seconds=1))) is None


def test_lateness_is_of_free_connections_and_waits_are_of_others() -> None:
    run = a_run(
        [
            Sent(late=1 * MS),
            Sent(late=60 * MS),
            Sent(late=300 * MS, flags=Flag.NONE_FREE),
            Sent(late=10 * MS, flags=Flag.NEW_CONNECTION),
            Sent(outcome=Outcome.SHED, flags=Flag.NONE_FREE),
        ],
        a_plan(Rate(rate=5, seconds=1, connections=2)),
    )

    found = measure(run)

    assert found.lateness is not None
    assert (found.lateness.count, found.lateness.maximum) == (2, 60 * MS)
    assert found.waits is not None
    assert (found.waits.count, found.waits.maximum) == (2, 300 * MS)
    assert (found.late_free, found.late_waiting) == (1, 2)
    assert found.seconds[0].late == 3


def test_each_second_says_what_was_sent_and_ended_in_it() -> None:
    condition = a_second(cpu=900 * MS)
    run = a_run(
        [
            Sent(planned=0, time=10 * MS),
            Sent(planned=500 * MS, time=700 * MS, late=100 * MS),
            Sent(planned=1_100 * MS, time=2 * MS, outcome=Outcome.TIMEOUT),
        ],
        seconds=(condition,),
    )

    first, second = measure(run).seconds

    assert (first.planned, first.sent, first.answered, first.failed) == (2, 2, 1, 0)
    assert (second.planned, second.sent, second.answered, second.failed) == (1, 1, 1, 1)
    assert first.from_plan == Quantiles(10 * MS, 10 * MS, 10 * MS)
    assert second.from_plan == Quantiles(800 * MS, 800 * MS, 800 * MS)
    assert second.from_send == Quantiles(700 * MS, 700 * MS, 700 * MS)
    assert (first.condition, second.condition) == (condition, None)


def test_a_budget_s_own_percentile_is_measured_too() -> None:
    run = steady(100, 1)
    plan = replace(run.plan, budgets=("p97.5<20ms",))

    timing = measure(replace(run, plan=plan)).successes

    assert timing.from_plan is not None
    assert timing.from_plan.percentile(97.5).value == 10 * MS


def test_a_request_under_way_at_the_cancellation_is_counted_in_its_second() -> None:
    run = a_run([Sent()], duration=10 * MS, cancelled=True)
    run.recording.add(
        0, 3 * SECOND, NEVER, NEVER, 0, Outcome.CANCELLED, FailedCheck.NONE, 0, 0
    )

    found = measure(run)

    assert found.counts.cancelled == 1
    assert found.seconds[3].sent == 1


def test_a_run_without_requests_has_no_numbers() -> None:
    found = measure(a_run([]))

    assert found.counts.planned == 0
    assert found.counts.share(0) == 0
    assert found.successes.from_plan is None
    assert found.rates.answered == 0


@given(sent_requests)
def test_counts_add_up(sent: list[Sent]) -> None:
    plan = a_plan(
        Rate(rate=10, seconds=3, connections=1),
        a_request("a"),
        a_request("b", statuses=frozenset({404})),
    )

    found = measure(a_run(sent, plan))

    counts = found.counts
    assert counts.planned + counts.warm_up == len(sent)
    assert counts.planned == (
        counts.answered + counts.unanswered + counts.shed + counts.cancelled
    )
    assert counts.answered == counts.succeeded + counts.errors + counts.unexpected
    assert sum(found.statuses.values()) == counts.answered
    assert sum(each.count for each in found.failures) == counts.failed
    assert sum(each.planned for each in found.requests) == counts.planned
    for name in ("planned", "sent", "answered", "failed"):
        expected: Any = getattr(counts, name)
        assert sum(getattr(each, name) for each in found.seconds) == expected


@given(st.lists(st.tuples(st.integers(0, SECOND), st.integers(0, SECOND)), min_size=1))
def test_percentiles_are_those_of_the_sorted_times(
    times: list[tuple[int, int]],
) -> None:
    timing = measure(a_run(Sent(time=time, late=late) for time, late in times))

    assert timing.successes.from_plan is not None
    assert timing.successes.from_send is not None
    for each in timing.successes.from_plan.percentiles:
        ordered = sorted(time + late for time, late in times)
        assert each.value == nearest_rank(ordered, each.percent)
    for each in timing.successes.from_send.percentiles:
        assert each.value == nearest_rank(sorted(t for t, _ in times), each.percent)
