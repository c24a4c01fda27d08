"""The exit status of a run that was executed; `2` is for one that was refused."""

from collections.abc import Iterable
from enum import IntEnum

from async_api.load.result.budgets import BudgetResult
from async_api.load.result.measurement import Measurement
from async_api.load.result.verdict import Verdict
from async_api.verdict_word import Word


class ExitStatus(IntEnum):
    FINE = 0
    SOME_FAILED = 1  # failed, had an error status, or were shed
    REFUSED = 2  # the plan or an argument; nothing was sent
    BUDGET_BROKEN = 3
    INVALID = 4


def exit_status(
    found: Measurement, verdict: Verdict, budgets: Iterable[BudgetResult]
) -> ExitStatus:
    """The first that applies of INVALID, BUDGET_BROKEN and SOME_FAILED.

    In an INVALID run, budgets and failures say nothing certain about the target.
    """
    counts = found.counts
    if verdict.word is Word.INVALID:
        return ExitStatus.INVALID
    if not all(each.kept for each in budgets):
        return ExitStatus.BUDGET_BROKEN
    if counts.failed or counts.errors or counts.shed:
        return ExitStatus.SOME_FAILED
    return ExitStatus.FINE
