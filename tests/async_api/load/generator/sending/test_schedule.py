"""When requests are due, and which: arithmetic, in nanoseconds."""

from collections import Counter
from itertools import islice, pairwise
from typing import Literal

import pytest

from async_api.load.generator.sending.schedule import (
    SECOND,
    connections,
    end,
    holds,
    order,
    times,
)
from async_api.load.plan.plan import Closed, Rate, Steps

Spacing = Literal["even", "poisson"]


def rate_of(
    rate: float, seconds: float, spacing: Spacing = "even", seed: int = 0
) -> Rate:
    return Rate(rate=rate, seconds=seconds, connections=1, spacing=spacing, seed=seed)


def steps_of(*rates: float, seconds: float = 1, spacing: Spacing = "even") -> Steps:
    return Steps(
        of="rate", values=rates, seconds=seconds, connections=7, spacing=spacing
    )


def test_requests_of_a_rate_are_due_one_after_another_from_the_beginning() -> None:
    assert list(times(rate_of(4, 1))) == [0, SECOND // 4, SECOND // 2, 3 * SECOND // 4]


def test_the_number_of_requests_is_rate_times_seconds() -> None:
    assert len(list(times(rate_of(5000, 10)))) == 50_000
    assert len(list(times(rate_of(0.5, 10)))) == 5


def test_gaps_that_are_no_whole_nanoseconds_do_not_add_up_to_an_error() -> None:
    due = list(times(rate_of(3, 100_000)))

    assert due[1] == 333_333_333
    assert due[299_997] == 99_999 * SECOND


def test_poisson_gaps_are_those_of_the_seed() -> None:
    one = list(times(rate_of(100, 20, "poisson", seed=1)))

    assert one == list(times(rate_of(100, 20, "poisson", seed=1)))
    assert one != list(times(rate_of(100, 20, "poisson", seed=2)))


def test_poisson_gaps_have_the_mean_and_the_spread_of_an_exponential() -> None:
    due = list(times(rate_of(1000, 20, "poisson", seed=3)))
    gaps = [after - before for before, after in pairwise(due)]

    mean = sum(gaps) / len(gaps)
    above = sum(gap > mean for gap in gaps) / len(gaps)

    assert mean == pytest.approx(SECOND / 1000, rel=0.03)
    assert above == pytest.approx(0.3679, abs=0.02)  # 1 / e
    assert due[-1] < 20 * SECOND


def test_each_step_holds_its_rate_for_its_seconds() -> None:
    due = list(times(steps_of(2, 4, seconds=1)))

    assert due == [
        0,
        SECOND // 2,
        SECOND,
        SECOND + SECOND // 4,
        SECOND + SECOND // 2,
        SECOND + 3 * SECOND // 4,
    ]


def test_poisson_steps_stay_within_their_seconds() -> None:
    due = list(times(steps_of(1000, 10, seconds=2, spacing="poisson")))

    assert due == sorted(due)
    assert sum(each < 2 * SECOND for each in due) == pytest.approx(2000, rel=0.1)
    assert 0 < sum(each >= 2 * SECOND for each in due) < 50


def test_steps_of_connections_begin_one_after_another() -> None:
    load = Steps(of="connections", values=(1, 8, 2), seconds=1.5, connections=0)

    assert holds(load) == ((0, 1), (1_500_000_000, 8), (3_000_000_000, 2))
    assert end(load) == 4_500_000_000
    assert connections(load) == 8


def test_a_closed_load_holds_one_number_of_connections() -> None:
    assert holds(Closed(connections=3, seconds=2)) == ((0, 3),)
    assert end(Closed(connections=3, seconds=2)) == 2 * SECOND
    assert end(Closed(connections=3, requests=2)) is None
    assert connections(steps_of(1, 2)) == 7


@pytest.mark.parametrize(
    ("weights", "first"),
    [
        ((1,), [0, 0, 0]),
        ((3, 1), [0, 0, 1, 0]),
        ((300, 100), [0, 0, 1, 0]),
        ((1, 1, 1), [0, 1, 2]),
    ],
)
def test_requests_take_turns_by_weight(
    weights: tuple[int, ...], first: list[int]
) -> None:
    assert list(islice(order(weights), len(first))) == first


def test_shares_are_exact_in_every_round_of_the_weights() -> None:
    weights = (50, 30, 15, 5)
    chosen = list(islice(order(weights), 200))

    assert Counter(chosen) == {0: 100, 1: 60, 2: 30, 3: 10}
    assert Counter(chosen[:20]) == {0: 10, 1: 6, 2: 3, 3: 1}
