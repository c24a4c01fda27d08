"""The exit status says the most serious thing about a run."""

import pytest

from async_api.load.plan.budgets import parse_budget
from async_api.load.recording import Outcome
from async_api.load.result.budgets import check_budget
from async_api.load.result.exit_status import ExitStatus, exit_status
from async_api.load.result.measurement import measure
from async_api.load.result.verdict import judge
from tests.async_api.load.result.runs import Sent, a_run


@pytest.mark.parametrize("outcome", [500, Outcome.TIMEOUT, Outcome.SHED])
def test_any_request_without_success_is_status_1(outcome: int) -> None:
    assert int(status(outcome)) == 1


def test_a_broken_budget_comes_before_failures() -> None:
    assert int(status(500, "errors<1%")) == 3


def test_an_invalid_run_comes_before_everything() -> None:
    assert int(status(500, "errors<1%", "ports")) == 4


def test_a_suspect_run_that_kept_its_budgets_is_fine() -> None:
    assert int(status(200, "errors<1%")) == 0


def status(outcome: int, budget: str = "", exhausted: str = "") -> ExitStatus:
    run = a_run([Sent(outcome=outcome)], exhausted=exhausted)
    found = measure(run)
    budgets = [check_budget(parse_budget(budget), found)] if budget else []
    return exit_status(found, judge(run, found), budgets)
