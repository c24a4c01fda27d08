"""Budgets are judged by the value that they name."""

from dataclasses import replace

import pytest

from async_api.load.recording import Outcome
from async_api.load.result.budgets import BudgetResult, check_budgets
from async_api.load.result.measurement import measure
from async_api.load.run import Run
from tests.async_api.load.result.runs import MS, Sent, a_run, steady


def result(run: Run, text: str) -> BudgetResult:
    run = replace(run, plan=replace(run.plan, budgets=(text,)))
    (found,) = check_budgets(run.plan, measure(run))
    return found


def mixed() -> Run:
    """Ten requests: latencies of 20 ms from plan and 15 ms from send, 5 ms to the first
    byte; one failed and two had an error status."""
    success = Sent(time=15 * MS, late=5 * MS, wait=5 * MS)
    return a_run(
        [
            *[success] * 7,
            Sent(outcome=Outcome.TIMEOUT),
            *[Sent(outcome=500)] * 2,
        ]
    )


@pytest.mark.parametrize(
    ("text", "value", "kept"),
    [
        ("p50<=20ms", 20 * MS, True),
        ("p50<20ms", 20 * MS, False),
        ("send.p50<20ms", 15 * MS, True),
        ("ttfb.p97.5<=5ms", 5 * MS, True),
        ("ttfb.mean<5ms", 5 * MS, False),
        ("send.max<=15ms", 15 * MS, True),
        ("failed<=10%", 0.1, True),
        ("failed<10%", 0.1, False),
        ("errors<=20%", 0.2, True),
        ("errors<19%", 0.2, False),
    ],
)
def test_a_budget_is_judged_by_its_value(text: str, value: float, kept: bool) -> None:
    found = result(mixed(), text)

    assert found.value == pytest.approx(value)
    assert found.kept is kept
    assert found.sentence.startswith(f"{text}: {'kept' if kept else 'broken'}, ")


@pytest.mark.parametrize(
    ("text", "kept"), [("rate>=100/s", True), ("rate>100/s", False)]
)
def test_a_rate_is_that_of_responses(text: str, kept: bool) -> None:
    assert result(steady(100, 2), text).kept is kept


def test_a_percentile_of_too_few_samples_says_so() -> None:
    assert result(mixed(), "p95<1s").sentence == (
        "p95<1s: kept, p95 from plan is 20 ms, of 7 samples; it takes 72 to know it."
    )
    assert "samples" not in result(steady(100, 1), "p95<1s").sentence
    assert "samples" not in result(mixed(), "p100<1s").sentence


def test_a_time_without_a_success_breaks_its_budget() -> None:
    found = result(a_run([Sent(outcome=500)]), "p95<1s")

    assert (found.value, found.kept) == (None, False)
