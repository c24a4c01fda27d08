"""Is what the site costs judged by what its peers cost, in the same round?"""

import pytest

from benchmarks.clients.run import Spread
from benchmarks.measuring.turns import Result
from benchmarks.results.goals import serving_goals
from benchmarks.servers.peers import (
    BRANDS,
    BRANDS_ALONE,
    DJANGO,
    FASTAPI_ASYNCPG,
    INSERT,
    PAGE_1,
    PAGE_10_000,
    PRODUCT,
    PRODUCT_ALONE,
    SITE,
    STARLETTE,
    STARLETTE_ASYNCPG,
    UNCHANGED,
    Peer,
    Route,
)
from tests.benchmarks.results.sample_results import RESULTS, result


def test_each_goal_is_judged_by_the_rounds_ratios() -> None:
    by_django, by_starlette, orm_by_django = serving_goals(RESULTS)

    assert (by_django.bound, by_django.met) == (0.1, True)
    assert by_starlette.measured == Spread(4.5, 4, 5)
    assert by_starlette.met
    assert orm_by_django.measured == Spread(0.6, 0.5, 0.7)
    assert not orm_by_django.met


def test_a_site_above_the_bound_misses() -> None:
    [by_starlette] = serving_goals((result(STARLETTE, 10), result(SITE, 61)))

    assert not by_starlette.met


def test_what_was_not_measured_is_not_judged() -> None:
    assert serving_goals((result(STARLETTE, 10), result(DJANGO, 10))) == ()


@pytest.mark.parametrize(
    ("route", "other", "bound"),
    [(BRANDS, STARLETTE_ASYNCPG, 0.8), (PRODUCT, STARLETTE_ASYNCPG, 1)],
)
def test_a_read_is_judged_by_the_cpu_of_one_who_asks_each_time(
    route: Route, other: Peer, bound: float
) -> None:
    peer = result(other, 100, route=route)
    good, bad = bound * 100, bound * 100 + 1

    assert judged(peer, result(SITE, good, route=route)) == (bound, True)
    assert judged(peer, result(SITE, bad, route=route)) == (bound, False)


def test_what_did_not_change_is_judged_by_the_cpu_of_sending_it() -> None:
    sent = result(SITE, 100, route=BRANDS)

    assert judged(sent, result(SITE, 100, route=UNCHANGED)) == (1, True)
    assert judged(sent, result(SITE, 101, route=UNCHANGED)) == (1, False)


@pytest.mark.parametrize("route", [BRANDS_ALONE, PRODUCT_ALONE])
def test_who_asks_alone_is_judged_by_how_long_they_wait(route: Route) -> None:
    peer = result(STARLETTE_ASYNCPG, 1, route=route, p50=200)

    assert judged(peer, result(SITE, 9, route=route, p50=300)) == (1.5, True)
    assert judged(peer, result(SITE, 9, route=route, p50=301)) == (1.5, False)


def test_writes_are_judged_by_how_many_there_are_a_second() -> None:
    peer = result(FASTAPI_ASYNCPG, 1, route=INSERT, rate=1_000)

    assert judged(peer, result(SITE, 9, route=INSERT, rate=500)) == (0.5, True)
    assert judged(peer, result(SITE, 9, route=INSERT, rate=499)) == (0.5, False)


def test_a_far_page_is_judged_by_how_long_the_first_one_takes() -> None:
    first = result(SITE, 1, route=PAGE_1, p50=200)

    assert judged(first, result(SITE, 9, route=PAGE_10_000, p50=300)) == (1.5, True)
    assert judged(first, result(SITE, 9, route=PAGE_10_000, p50=301)) == (1.5, False)


def judged(*results: Result) -> tuple[float, bool]:
    """By the only goal there is for them: its bound, and whether it is met."""
    [goal] = serving_goals(results)
    return goal.bound, goal.met
