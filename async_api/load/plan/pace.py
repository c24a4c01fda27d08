"""What the load of a plan says of its pace: by a schedule, how fast, and how long."""

from typing import TypeGuard

from async_api.load.plan.plan import Closed, Load, Plan, Rate, Steps

SECOND = 1_000_000  # microseconds


def is_paced(load: Load) -> TypeGuard[Rate | Steps]:
    """Whether the load has rates: requests are due whatever the target does."""
    return isinstance(load, Rate) or (isinstance(load, Steps) and load.of == "rate")


def planned_time(plan: Plan) -> int | None:
    """How long the plan sends, in microseconds; None for a number of requests."""
    match plan.load:
        case Steps(values=values, seconds=seconds):
            return round(len(values) * seconds * SECOND)
        case Closed(seconds=seconds) | Rate(seconds=seconds):
            return None if seconds is None else round(seconds * SECOND)


def asked_rate(plan: Plan) -> float | None:
    """Requests per second after the warm-up, as planned; None in a closed load."""
    match plan.load:
        case Rate(rate=rate):
            return rate
        case Steps(of="rate", values=values, seconds=seconds):
            warm_up = plan.conditions.warm_up_seconds
            held = [
                min(seconds, max(0.0, (index + 1) * seconds - warm_up))
                for index in range(len(values))
            ]
            whole = sum(held)
            asked = sum(rate * time for rate, time in zip(values, held, strict=True))
            return asked / whole if whole else 0.0
        case _:
            return None
