"""The outcome of each test in a run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum


class Outcome(IntEnum):
    """Ordered by severity: the more severe of two reports of a test counts."""

    PASSED = 0
    SKIPPED = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a test, or of a class fixture."""

    test: str  # in unittest's notation, such as asgi.tests.ASGITest.test_wrong_method
    outcome: Outcome
    traceback: str = ""  # of a failure


Outcomes = Mapping[str, Report]


def as_line(report: Report) -> str:
    """The report as one line, for `read`."""
    return json.dumps([report.test, report.outcome.name, report.traceback]) + "\n"


def read(lines: Iterable[str]) -> Outcomes:
    """The most severe report of each test."""
    outcomes: dict[str, Report] = {}
    for line in lines:
        test, outcome, traceback = json.loads(line)
        report = Report(test, Outcome[outcome], traceback)
        if test not in outcomes or outcomes[test].outcome < report.outcome:
            outcomes[test] = report
    return outcomes
