"""A test runner that records the outcome of each test."""

import traceback
import unittest
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from django.test.runner import DiscoverRunner

from tests.django import settings
from tests.django.asynchronous_calls import use_asynchronous_calls
from tests.django.outcomes import Outcome, Report, as_line
from tests.django.run import ASYNCHRONOUS, OURS
from tests.django.substitution import use_our_classes

Error = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)


class RecordingResult(unittest.TextTestResult):
    """Also writes every report to the file settings.OUTCOMES."""

    def startTestRun(self) -> None:
        super().startTestRun()
        self._file = settings.OUTCOMES.open("w", encoding="utf-8")

    def stopTestRun(self) -> None:
        super().stopTestRun()
        self._file.close()

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self._write(test, Outcome.PASSED)

    def addExpectedFailure(self, test: unittest.TestCase, err: Error) -> None:
        super().addExpectedFailure(test, err)
        self._write(test, Outcome.PASSED)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._write(test, Outcome.SKIPPED)

    def addFailure(self, test: unittest.TestCase, err: Error) -> None:
        super().addFailure(test, err)
        self._write(test, Outcome.FAILED, err)

    def addError(self, test: unittest.TestCase, err: Error) -> None:
        super().addError(test, err)
        self._write(test, Outcome.FAILED, err)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._write(test, Outcome.FAILED)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Error | None
    ) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._write(test, Outcome.FAILED, err)

    def _write(
        self, test: unittest.TestCase, outcome: Outcome, error: Error | None = None
    ) -> None:
        lines = traceback.format_exception(error[1]) if error else []
        self._file.write(as_line(Report(test.id(), outcome, "".join(lines))))


class RecordingRunner(DiscoverRunner):
    """Runs the tests with the classes and calls that the settings name."""

    def build_suite(
        self, test_labels: Sequence[str] | None = None, **options: Any
    ) -> unittest.TestSuite:
        if settings.CLASSES == OURS:
            use_our_classes()
        if settings.CALLS == ASYNCHRONOUS:
            use_asynchronous_calls()
        return super().build_suite(test_labels, **options)

    def get_resultclass(self) -> type[RecordingResult]:
        return RecordingResult

    def suite_result(self, *arguments: Any, **options: Any) -> int:
        """Returns no failures: the exit status reports whether the run was complete."""
        return 0
