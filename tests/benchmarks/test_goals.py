"""Is what the site costs judged by what its peers cost, in the same round?"""

from benchmarks.goals import serving_goals
from benchmarks.peers import DJANGO, SITE, STARLETTE
from benchmarks.run import Spread
from tests.benchmarks.results import RESULTS, result


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
