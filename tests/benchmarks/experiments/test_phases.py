"""Phases are computed from libcurl's times, and compared with ours."""

from benchmarks.experiments.phases import NAMES, Phases, deviations, more, phases_of


def test_libcurl_counts_every_time_from_the_beginning() -> None:
    ends = {
        "lookup": 50_000,
        "tcp": 50_200,
        "tls": 92_000,
        "first_byte": 152_500,
        "last_byte": 222_600,
    }

    assert phases_of(ends) == Phases(50_000, 200, 41_800, 60_500, 70_100)


def test_each_phase_may_differ_by_two_milliseconds_either_way() -> None:
    ours = Phases(52_000, 0, 38_000, 62_001, 70_000)
    theirs = Phases(50_000, 0, 40_000, 60_000, 72_001)

    goals = deviations("pycurl's", [ours], [theirs])

    assert [goal.met for goal in goals] == [True, True, True, False, False]
    assert len(goals) == len(NAMES)


def test_what_delays_add_is_the_difference_of_each_phase() -> None:
    delayed = Phases(50_900, 300, 42_000, 60_500, 70_200)

    assert more(delayed, Phases(900, 300, 1_700, 600, 100)) == Phases(
        50_000, 0, 40_300, 59_900, 70_100
    )
