"""Goals compare the site with its peers within each round."""

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


def test_each_goal_uses_the_ratios_within_rounds() -> None:
    by_django, by_starlette, orm_by_django = serving_goals(RESULTS)

    assert (by_django.bound, by_django.met) == (0.1, True)
    assert by_starlette.measured == Spread(4.5, 4, 5)
    assert by_starlette.met
    assert orm_by_django.measured == Spread(0.6, 0.5, 0.7)
    assert not orm_by_django.met


def test_a_site_above_the_bound_misses_the_goal() -> None:
    [by_starlette] = serving_goals((result(STARLETTE, 10), result(SITE, 61)))

    assert not by_starlette.met


def test_a_goal_that_was_not_measured_is_left_out() -> None:
    assert serving_goals((result(STARLETTE, 10), result(DJANGO, 10))) == ()


@pytest.mark.parametrize(
    ("route", "other", "bound"),
    [(BRANDS, STARLETTE_ASYNCPG, 0.8), (PRODUCT, STARLETTE_ASYNCPG, 1)],
)
def test_a_read_is_compared_with_the_cpu_of_a_peer_that_queries_each_time(
    route: Route, other: Peer, bound: float
) -> None:
    peer = result(other, 100, route=route)
    good, bad = bound * 100, bound * 100 + 1

    assert judged(peer, result(SITE, good, route=route)) == (bound, True)
    assert judged(peer, result(SITE, bad, route=route)) == (bound, False)


def test_an_unchanged_response_is_compared_with_the_cpu_of_a_full_one() -> None:
    sent = result(SITE, 100, route=BRANDS)

    assert judged(sent, result(SITE, 100, route=UNCHANGED)) == (1, True)
    assert judged(sent, result(SITE, 101, route=UNCHANGED)) == (1, False)


@pytest.mark.parametrize("route", [BRANDS_ALONE, PRODUCT_ALONE])
def test_a_single_client_is_compared_by_its_waiting_time(route: Route) -> None:
    peer = result(STARLETTE_ASYNCPG, 1, route=route, p50=200)

    assert judged(peer, result(SITE, 9, route=route, p50=300)) == (1.5, True)
    assert judged(peer, result(SITE, 9, route=route, p50=301)) == (1.5, False)


def test_writes_are_compared_by_their_rate() -> None:
    peer = result(FASTAPI_ASYNCPG, 1, route=INSERT, rate=1_000)

    assert judged(peer, result(SITE, 9, route=INSERT, rate=500)) == (0.5, True)
    assert judged(peer, result(SITE, 9, route=INSERT, rate=499)) == (0.5, False)


def test_a_far_page_is_compared_with_the_time_of_the_first_one() -> None:
    first = result(SITE, 1, route=PAGE_1, p50=200)

    assert judged(first, result(SITE, 9, route=PAGE_10_000, p50=300)) == (1.5, True)
    assert judged(first, result(SITE, 9, route=PAGE_10_000, p50=301)) == (1.5, False)


def judged(*results: Result) -> tuple[float, bool]:
    """The bound of their only goal, and whether it is met."""
    [goal] = serving_goals(results)
    return goal.bound, goal.met
