"""The classes into which a run's requests fall; every request is in exactly one.

A response is a success, an error status or unexpected. Everything else has no response.
"""

from collections.abc import Callable
from enum import IntEnum

from async_api.load.plan.plan import Plan
from async_api.load.recording import FailedCheck, Outcome

UNEXPECTED = "unexpected"


class Kind(IntEnum):
    """What became of a request."""

    SUCCESS = 0  # a response that passed every check
    ERROR = 1  # a status of 400 or more, where the plan names no statuses
    UNEXPECTED = 2  # a response that failed a check of the plan
    UNANSWERED = 3  # no response, or not a whole one
    SHED = 4  # not sent by its deadline
    CANCELLED = 5  # under way as the run was cancelled

    @property
    def failed(self) -> bool:
        return self in (Kind.UNEXPECTED, Kind.UNANSWERED)


def classifier(plan: Plan) -> Callable[[int, int, int], Kind]:
    """A function that takes outcome, failed check and request, as recorded.

    An error status comes before a failed check of the same response, because the status
    is the first of the checks.
    """
    first_error = [
        400 if request.checks.statuses is None else 1_000 for request in plan.requests
    ]

    def classify(outcome: int, failed_check: int, request: int) -> Kind:
        if outcome > 0:
            if outcome >= first_error[request]:
                return Kind.ERROR
            return Kind.UNEXPECTED if failed_check else Kind.SUCCESS
        if outcome == Outcome.SHED:
            return Kind.SHED
        return Kind.CANCELLED if outcome == Outcome.CANCELLED else Kind.UNANSWERED

    return classify


def failure_kind(outcome: int) -> str:
    """Such as "timeout"; `unexpected` for a response."""
    return UNEXPECTED if outcome > 0 else Outcome(outcome).word


def check_name(failed_check: int) -> str:
    """Such as "contains"; "" where none failed."""
    return FailedCheck(failed_check).name.lower() if failed_check else ""
