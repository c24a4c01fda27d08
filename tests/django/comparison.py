"""Comparing a run with stock Django and a run with our classes."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.django.outcomes import Outcome, Outcomes


@dataclass(frozen=True, slots=True)
class Comparison:
    """The tests of two runs that differ only in the classes."""

    passed: frozenset[str]  # with both
    failed: Mapping[str, str]  # with ours only; with the traceback or a sentence
    excepted: frozenset[str]  # with ours only, as expected
    failed_with_stock: frozenset[str]  # in this environment: not counted
    skipped_with_stock: frozenset[str]  # in this environment: not counted


def compare(
    stock: Outcomes, ours: Outcomes, exceptions: Mapping[str, str]
) -> Comparison:
    """`exceptions` maps tests to reasons."""
    should_pass = _with(stock, Outcome.PASSED)
    passed = should_pass & _with(ours, Outcome.PASSED)
    # A failure with ours of a test unknown to stock is that of a class or module fixture.
    failed = (should_pass - passed) | (_with(ours, Outcome.FAILED) - stock.keys())
    return Comparison(
        passed=passed,
        failed={test: _why(test, ours) for test in sorted(failed - exceptions.keys())},
        excepted=failed & exceptions.keys(),
        failed_with_stock=_with(stock, Outcome.FAILED),
        skipped_with_stock=_with(stock, Outcome.SKIPPED),
    )


def _with(outcomes: Outcomes, outcome: Outcome) -> frozenset[str]:
    return frozenset(
        test for test, report in outcomes.items() if report.outcome == outcome
    )


def _why(test: str, ours: Outcomes) -> str:
    if test not in ours:
        return "It did not run."
    report = ours[test]
    return report.traceback.strip() or f"It {report.outcome.name.lower()}."
