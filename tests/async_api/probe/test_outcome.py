"""Requests are classified by their outcome, always with the same labels."""

import pytest

from async_api.probe.measurement import summarize
from async_api.probe.outcome import Outcome, count_outcomes, listed, outcome_of
from tests.async_api.probe.pictures import answer, failure


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (101, Outcome.INFORMATIONAL),
        (200, Outcome.SUCCESS),
        (299, Outcome.SUCCESS),
        (300, Outcome.REDIRECT),
        (304, Outcome.REDIRECT),
        (400, Outcome.CLIENT_ERROR),
        (499, Outcome.CLIENT_ERROR),
        (500, Outcome.SERVER_ERROR),
        (599, Outcome.SERVER_ERROR),
        (999, Outcome.SERVER_ERROR),
    ],
)
def test_a_response_s_outcome_is_the_class_of_its_status(
    status: int, expected: Outcome
) -> None:
    assert outcome_of(answer(1, status=status)) is expected


def test_a_request_without_a_response_failed() -> None:
    assert outcome_of(failure(1)) is Outcome.FAILED


def test_outcomes_that_occurred_are_counted_in_order() -> None:
    samples = [failure(1), answer(1, 503), answer(1, 500), answer(1), answer(1, 304)]

    counts = count_outcomes(summarize(samples, len(samples), 1))

    assert list(counts.items()) == [
        (Outcome.SUCCESS, 1),
        (Outcome.REDIRECT, 1),
        (Outcome.SERVER_ERROR, 2),
        (Outcome.FAILED, 1),
    ]
    assert listed(counts) == "1 answered 2xx, 1 answered 3xx, 2 answered 5xx, 1 failed"
