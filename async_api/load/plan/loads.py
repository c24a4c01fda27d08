"""The load of a plan, made from the valid members of its document and held to the limits."""

from async_api.load.plan.errors import PlanError, shown
from async_api.load.plan.limits import PlanLimits, setting_of
from async_api.load.plan.members.load import (
    ClosedMembers,
    RateMembers,
    StepsMembers,
)
from async_api.load.plan.plan import Closed, Load, Rate, Steps

LoadMembers = ClosedMembers | RateMembers | StepsMembers
DEFAULT_CONNECTIONS = 64  # at most, of a load with a rate


def load_errors(members: LoadMembers, limits: PlanLimits) -> list[PlanError]:
    """The members that are more than the limits of the installation allow."""
    errors = _Errors(limits)
    errors.check("load.connections", members.connections, "connections")
    match members:
        case ClosedMembers():
            errors.check("load.requests", members.requests, "requests")
            errors.check("load.seconds", members.seconds, "seconds")
        case RateMembers():
            errors.check("load.rate", members.rate, "rate")
            errors.check("load.seconds", members.seconds, "seconds")
            errors.check_requests(
                f"{members.rate:g}/s for {members.seconds:g} s",
                members.rate * members.seconds,
            )
        case StepsMembers():
            for index, value in enumerate(members.values):
                errors.check(f"load.values[{index}]", value, members.of)
            whole = len(members.values) * members.seconds
            if members.seconds <= limits.seconds < whole:
                errors.add(
                    "load.seconds",
                    members.seconds,
                    f"make {whole:g} s of {len(members.values)} steps, and a run can have "
                    f"at most {limits.seconds:g} s ({setting_of('seconds')})",
                )
            errors.check("load.seconds", members.seconds, "seconds")
            if members.of == "rate":
                errors.check_requests(
                    f"{sum(members.values):g}/s in all steps, {members.seconds:g} s each",
                    sum(members.values) * members.seconds,
                )
    return errors.found


def build_load(members: LoadMembers, limits: PlanLimits) -> Load:
    most = min(DEFAULT_CONNECTIONS, limits.connections)
    match members:
        case ClosedMembers():
            return Closed(
                connections=members.connections,
                requests=members.requests,
                seconds=members.seconds,
            )
        case RateMembers():
            return Rate(
                rate=members.rate,
                seconds=members.seconds,
                connections=members.connections or most,
                spacing=members.spacing,
                seed=members.seed,
            )
        case StepsMembers():
            if members.of == "connections":
                most = int(max(members.values))
            return Steps(
                of=members.of,
                values=tuple(members.values),
                seconds=members.seconds,
                connections=members.connections or most,
                spacing=members.spacing,
                seed=members.seed,
            )


def seconds_of(members: LoadMembers) -> float | None:
    """How long the load lasts, or None where a number of requests decides."""
    if isinstance(members, StepsMembers):
        return len(members.values) * members.seconds
    return members.seconds


class _Errors:
    def __init__(self, limits: PlanLimits) -> None:
        self.limits = limits
        self.found: list[PlanError] = []

    def add(self, location: str, value: object, message: str) -> None:
        self.found.append(PlanError(location, shown(value), message))

    def check(self, location: str, value: float | None, limit: str) -> None:
        most = getattr(self.limits, limit)
        if value is not None and value > most:
            self.add(location, value, f"must be at most {most} ({setting_of(limit)})")

    def check_requests(self, what: str, requests: float) -> None:
        if requests > self.limits.requests:
            self.add(
                "load",
                what,
                f"makes {requests:.0f} requests, and a run can have at most "
                f"{self.limits.requests} ({setting_of('requests')})",
            )
