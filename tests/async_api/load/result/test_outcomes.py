"""Every outcome is in exactly one class."""

import pytest

from async_api.load.recording import FailedCheck, Outcome
from async_api.load.result.outcomes import (
    Kind,
    check_name,
    classifier,
    failure_kind,
)
from tests.async_api.load.result.runs import a_plan, a_request

DEFAULT, NAMED = 0, 1  # the second request names the statuses it expects


@pytest.mark.parametrize(
    ("outcome", "check", "request_", "kind"),
    [
        (101, FailedCheck.NONE, DEFAULT, Kind.SUCCESS),
        (399, FailedCheck.NONE, DEFAULT, Kind.SUCCESS),
        (400, FailedCheck.NONE, DEFAULT, Kind.ERROR),
        (200, FailedCheck.CONTAINS, DEFAULT, Kind.UNEXPECTED),
        (500, FailedCheck.CONTAINS, DEFAULT, Kind.ERROR),
        (404, FailedCheck.NONE, NAMED, Kind.SUCCESS),
        (200, FailedCheck.STATUS, NAMED, Kind.UNEXPECTED),
        (500, FailedCheck.STATUS, NAMED, Kind.UNEXPECTED),
        (Outcome.SHED, FailedCheck.NONE, DEFAULT, Kind.SHED),
        (Outcome.CANCELLED, FailedCheck.NONE, DEFAULT, Kind.CANCELLED),
        (Outcome.TIMEOUT, FailedCheck.NONE, DEFAULT, Kind.UNANSWERED),
        (Outcome.REFUSED, FailedCheck.NONE, DEFAULT, Kind.UNANSWERED),
    ],
)
def test_a_request_belongs_to_the_class_of_its_outcome(
    outcome: int, check: int, request_: int, kind: Kind
) -> None:
    plan = a_plan(None, a_request("a"), a_request("b", statuses=frozenset({404})))

    assert classifier(plan)(outcome, check, request_) is kind


def test_failures_are_named() -> None:
    assert failure_kind(Outcome.INVALID_RESPONSE) == "invalid_response"
    assert failure_kind(200) == "unexpected"
    assert check_name(FailedCheck.SIZE) == "size"
    assert check_name(FailedCheck.NONE) == ""
