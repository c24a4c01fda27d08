"""The verdict on a run, on both sides of every threshold."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from async_api.load.plan.plan import Closed, Rate, Steps
from async_api.load.recording import Flag, Outcome
from async_api.load.result.measurement import measure
from async_api.load.result.verdict import Verdict, judge
from async_api.load.run import Run
from async_api.verdict_word import Word, worst
from tests.async_api.load.result.runs import (
    MS,
    SECOND,
    Sent,
    a_plan,
    a_run,
    a_second,
    steady,
)


def verdict_of(run: Run, **known: Any) -> Verdict:
    return judge(run, measure(run), **known)


def codes(run: Run, **known: Any) -> dict[str, Word]:
    return {each.code: each.severity for each in verdict_of(run, **known).reasons}


def notes(run: Run) -> list[str]:
    return [each.code for each in verdict_of(run).notes]


def closed(count: int = 1000, **members: Any) -> Run:
    """A closed load of ten seconds."""
    gap = 10 * SECOND // count
    return a_run(
        (Sent(planned=i * gap, time=gap) for i in range(count)),
        a_plan(Closed(connections=1, requests=count)),
        **members,
    )


def beyond_capacity(capacity: int, **condition: int) -> Run:
    """500/s asked for 2 s of something that manages less, over a few connections."""
    run = a_run(
        (
            Sent(
                planned=i * 2 * MS,
                late=max(0, i * SECOND // capacity - i * 2 * MS),
                time=5 * MS,
                flags=Flag.NONE_FREE if i > 10 else 0,
            )
            for i in range(1000)
        ),
        a_plan(Rate(rate=500, seconds=2, connections=10)),
    )
    # The last second of the run is not a whole one.
    share = run.duration % SECOND / SECOND
    last = {name: round(value * share) for name, value in condition.items()}
    seconds = (a_second(**condition),) * (run.duration // SECOND) + (a_second(**last),)
    return replace(run, seconds=seconds)


def test_a_kept_plan_with_a_generator_at_rest_is_valid() -> None:
    assert verdict_of(steady(100, 10)) == Verdict(Word.VALID, (), ())


def test_the_worst_word_decides() -> None:
    assert worst([Word.SUSPECT, Word.INVALID, Word.VALID]) is Word.INVALID
    assert worst([]) is Word.VALID


@pytest.mark.parametrize("capacity", range(250, 450, 10))
def test_above_the_generator_s_capacity_a_run_is_invalid(capacity: int) -> None:
    run = beyond_capacity(capacity, cpu=980 * MS)

    assert verdict_of(run).word is Word.INVALID
    assert notes(run) == []


@pytest.mark.parametrize("capacity", range(250, 450, 10))
def test_above_the_target_s_capacity_a_run_is_not_invalid(capacity: int) -> None:
    run = beyond_capacity(capacity, cpu=300 * MS)

    assert verdict_of(run).word is Word.VALID
    assert notes(run) == ["connections_in_use"]


def test_precise_waiting_is_not_the_generator_s_limit() -> None:
    run = steady(100, 10, seconds=(a_second(cpu=990 * MS, spinning=700 * MS),) * 10)

    assert verdict_of(run).word is Word.VALID


def test_waiting_for_a_processor_counts_as_being_busy() -> None:
    assert codes(beyond_capacity(300, cpu=500 * MS, queued=450 * MS)) == {
        "generator_cpu": Word.INVALID
    }


def test_a_busy_generator_that_kept_its_plan_is_only_suspect() -> None:
    assert codes(steady(100, 10, seconds=(a_second(cpu=950 * MS),) * 10)) == {
        "generator_cpu": Word.SUSPECT
    }


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        (750, {}),
        (751, {"generator_cpu": Word.SUSPECT}),
        (900, {"generator_cpu": Word.SUSPECT}),
        (901, {"generator_cpu": Word.INVALID}),
    ],
)
def test_in_a_closed_load_the_generator_s_cpu_decides(
    cpu: int, expected: dict[str, Word]
) -> None:
    assert codes(closed(seconds=(a_second(cpu=cpu * MS),) * 10)) == expected


@pytest.mark.parametrize(("busy", "suspect"), [(1, False), (2, True)])
def test_a_few_busy_seconds_make_a_run_suspect(busy: int, suspect: bool) -> None:
    seconds = (a_second(),) * (10 - busy) + (a_second(cpu=950 * MS),) * busy

    assert ("generator_cpu_seconds" in codes(closed(seconds=seconds))) is suspect


def test_a_single_step_at_the_generator_s_limit_is_enough() -> None:
    steps = Steps(of="connections", values=(1, 2), seconds=5, connections=2)
    run = closed(seconds=(a_second(),) * 5 + (a_second(cpu=950 * MS),) * 5)

    assert codes(replace(run, plan=a_plan(steps)))["generator_cpu"] is Word.INVALID


def test_the_processor_is_not_judged_in_the_warm_up() -> None:
    run = steady(
        100,
        10,
        seconds=(a_second(cpu=SECOND),) * 2 + (a_second(),) * 8,
        conditions={"warm_up_seconds": 2.0},
    )

    assert verdict_of(run).word is Word.VALID


@pytest.mark.parametrize(("duration", "judged"), [(99 * MS, False), (100 * MS, True)])
def test_the_processor_is_not_judged_in_a_very_short_run(
    duration: int, judged: bool
) -> None:
    run = a_run([Sent(time=duration)], seconds=(a_second(cpu=duration),))

    assert ("generator_cpu" in codes(run)) is judged


def late_run(count: int, late: int, flags: int = 0) -> Run:
    return a_run(
        (
            Sent(planned=i * 10 * MS, late=late if i < count else 0, flags=flags)
            for i in range(1000)
        ),
        a_plan(Rate(rate=100, seconds=10, connections=10)),
    )


@pytest.mark.parametrize(
    ("count", "late", "invalid"),
    [(10, 60 * MS, False), (11, 50 * MS, False), (11, 50 * MS + 1, True)],
)
def test_a_plan_not_kept_although_connections_were_free_is_invalid(
    count: int, late: int, invalid: bool
) -> None:
    assert ("plan_not_kept" in codes(late_run(count, late))) is invalid


@pytest.mark.parametrize(("count", "noted"), [(10, False), (11, True)])
def test_a_plan_not_kept_because_none_was_free_is_noted(
    count: int, noted: bool
) -> None:
    run = late_run(count, 60 * MS, Flag.NONE_FREE)

    assert codes(run) == {}
    assert ("connections_in_use" in notes(run)) is noted


@pytest.mark.parametrize(
    ("late", "time", "suspect"),
    [
        (5 * MS, 10 * MS, False),
        (5 * MS + 1, 10 * MS, True),
        (20 * MS, 200 * MS, False),
        (20 * MS + 1, 200 * MS, True),
    ],
)
def test_lateness_counts_where_it_is_long_and_changes_the_latency(
    late: int, time: int, suspect: bool
) -> None:
    run = a_run(
        (
            Sent(planned=i * 10 * MS, late=late if i % 50 == 0 else 0, time=time)
            for i in range(1000)
        ),
        a_plan(Rate(rate=100, seconds=10, connections=100)),
    )

    assert codes(run) == ({"lateness": Word.SUSPECT} if suspect else {})


@pytest.mark.parametrize(
    ("code", "condition", "suspect"),
    [
        ("garbage_collection", {"collecting": 10 * MS}, False),
        ("garbage_collection", {"collecting": 10 * MS + 100}, True),
        ("steal", {"steal": 20 * MS}, False),
        ("steal", {"steal": 20 * MS + 100}, True),
        ("lag", {"lag": 20 * MS}, False),
        ("lag", {"lag": 20 * MS + 1}, True),
    ],
)
def test_pauses_make_a_run_suspect(
    code: str, condition: dict[str, int], suspect: bool
) -> None:
    run = closed(seconds=(a_second(**condition),) * 10)

    assert codes(run) == ({code: Word.SUSPECT} if suspect else {})


def test_one_long_lag_in_a_long_run_is_tolerated() -> None:
    seconds = (a_second(lag=50 * MS), *(a_second(lag=0),) * 9)

    assert codes(closed(seconds=seconds)) == {}
    assert codes(closed(seconds=(a_second(lag=101 * MS), *seconds[1:]))) == {
        "lag": Word.SUSPECT
    }


def test_exhausted_ports_make_a_run_invalid() -> None:
    assert codes(closed(exhausted="ports")) == {"exhausted": Word.INVALID}


def test_a_target_on_this_machine_is_noted_and_this_site_is_suspect() -> None:
    run = closed(same_machine=True)

    assert notes(run) == ["same_machine"]
    assert codes(run, same_site=True) == {"same_site": Word.SUSPECT}


@pytest.mark.parametrize(("count", "suspect"), [(367, True), (368, False)])
def test_too_few_successes_for_p99_are_suspect(count: int, suspect: bool) -> None:
    assert codes(closed(count)) == ({"few_samples": Word.SUSPECT} if suspect else {})


@pytest.mark.parametrize(("failed", "suspect"), [(500, False), (501, True)])
def test_a_run_of_mostly_failures_is_suspect(failed: int, suspect: bool) -> None:
    run = a_run(
        Sent(planned=i * 10 * MS, outcome=Outcome.TIMEOUT if i < failed else 200)
        for i in range(1000)
    )

    assert ("mostly_failures" in codes(run)) is suspect


def paced(time: Callable[[int], int], seconds: int = 24) -> Run:
    """A rate of 50/s, whose responses take a time for each second."""
    return a_run(
        (Sent(planned=i * 20 * MS, time=time(i // 50)) for i in range(50 * seconds)),
        a_plan(Rate(rate=50, seconds=seconds, connections=100)),
        duration=seconds * SECOND,
    )


@pytest.mark.parametrize(
    ("growth", "suspect"),
    # Eleven steps within the last twelve seconds: 19.8 % and 22 % of their median.
    [(0, False), (180, False), (200, True)],
)
def test_a_latency_that_still_rises_at_the_end_is_suspect(
    growth: int, suspect: bool
) -> None:
    # The median of the last twelve seconds is 10 ms.
    run = paced(lambda second: 10 * MS + round(growth * (second - 17.5)))

    assert ("drift" in codes(run)) is suspect


def test_a_latency_that_has_become_steady_does_not_drift() -> None:
    run = paced(lambda second: 10 * MS + 1000 * min(second, 8))

    assert "drift" not in codes(run)


@pytest.mark.parametrize(("first", "suspect"), [(12 * MS, False), (12 * MS + 10, True)])
def test_slow_first_seconds_mean_that_the_warm_up_was_too_short(
    first: int, suspect: bool
) -> None:
    run = paced(lambda second: first if second < 3 else 10 * MS)

    assert codes(run) == ({"warm_up_too_short": Word.SUSPECT} if suspect else {})


def test_nine_seconds_are_too_few_to_judge_the_warm_up() -> None:
    run = paced(lambda second: 90 * MS if second < 3 else 10 * MS, seconds=9)

    assert codes(run) == {}


def test_what_a_reader_should_know_is_noted() -> None:
    run = closed(cancelled=True, strays=1)
    redirected = a_run(
        Sent(planned=i * 10 * MS, outcome=302, flags=Flag.REDIRECT) for i in range(400)
    )

    assert notes(run) == ["cancelled", "strays"]
    assert notes(redirected) == ["redirects"]


def test_a_run_without_requests_is_suspect_and_not_an_error() -> None:
    assert codes(a_run([])) == {"few_samples": Word.SUSPECT}


def test_the_most_serious_reasons_come_first() -> None:
    run = closed(10, exhausted="descriptors", seconds=(a_second(steal=SECOND),) * 10)

    assert verdict_of(run).reasons[0].severity is Word.INVALID
