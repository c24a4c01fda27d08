"""The limits of an installation."""

from dataclasses import asdict

import pytest

from async_api.load.plan.limits import PlanLimits
from tests.async_api.load.plan.plans import LIMITS


def test_runs_are_at_most_half_an_hour_long() -> None:
    longest = PlanLimits(**asdict(LIMITS) | {"seconds": 1800})
    assert longest.seconds == 1800

    with pytest.raises(ValueError, match="LOAD_MAX_SECONDS is 1801; it can be at most"):
        PlanLimits(**asdict(LIMITS) | {"seconds": 1801})


@pytest.mark.parametrize("limit", asdict(LIMITS))
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_is_more_than_nothing(limit: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"LOAD_MAX_{limit.upper()} is {value}; it"):
        PlanLimits(**asdict(LIMITS) | {limit: value})
