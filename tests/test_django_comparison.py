"""`make test-django` detects every difference between the runs."""

import pytest

from tests.django.comparison import compare
from tests.django.outcomes import Outcome, Outcomes, Report, as_line, read
from tests.django.verdict import as_text, closing, is_good


def outcomes(*reports: Report) -> Outcomes:
    return read(as_line(report) for report in reports)


def passed(test: str) -> Report:
    return Report(test, Outcome.PASSED)


def failed(test: str) -> Report:
    return Report(test, Outcome.FAILED, "Traceback\nAssertionError: 1 != 2\n")


def skipped(test: str) -> Report:
    return Report(test, Outcome.SKIPPED)


def test_the_result_is_good_when_everything_passes_with_both() -> None:
    both = outcomes(passed("a.A.test_one"), passed("a.A.test_two"))

    comparison = compare(both, both, {})

    assert is_good([comparison], {})
    assert closing([comparison], {}).splitlines() == [
        "2 tests: all that pass with stock Django pass with ours",
        "2 passed, 0 failed",
    ]


@pytest.mark.parametrize(
    "ours",
    [
        outcomes(passed("a.A.test_one"), failed("a.A.test_two")),
        outcomes(passed("a.A.test_one"), skipped("a.A.test_two")),
        outcomes(passed("a.A.test_one")),
        # A test whose body passes and whose cleanup fails.
        outcomes(
            passed("a.A.test_one"), passed("a.A.test_two"), failed("a.A.test_two")
        ),
        outcomes(
            passed("a.A.test_one"), failed("a.A.test_two"), passed("a.A.test_two")
        ),
    ],
    ids=["fails", "is skipped", "does not run", "fails last", "fails first"],
)
def test_a_test_that_passes_with_stock_must_pass_with_ours(ours: Outcomes) -> None:
    stock = outcomes(passed("a.A.test_one"), passed("a.A.test_two"))

    comparison = compare(stock, ours, {})

    assert not is_good([comparison], {})
    assert "Fails with ours only: a.A.test_two" in as_text(comparison)
    assert closing([comparison], {}).splitlines() == [
        "2 tests: not all that pass with stock Django pass with ours",
        "1 passed, 1 failed",
    ]


def test_a_class_that_ours_cannot_set_up_is_shown_with_its_traceback() -> None:
    stock = outcomes(passed("a.A.test_one"), passed("b.B.test_two"))
    ours = outcomes(failed("setUpClass (a.A)"), passed("b.B.test_two"))

    comparison = compare(stock, ours, {})

    assert comparison.failed.keys() == {"a.A.test_one", "setUpClass (a.A)"}
    assert "AssertionError: 1 != 2" in as_text(comparison)


def test_a_test_that_does_not_pass_with_stock_is_listed_and_not_counted() -> None:
    stock = outcomes(passed("a.A.test_one"), failed("a.A.test_two"), skipped("a.A.b"))
    ours = outcomes(passed("a.A.test_one"), failed("a.A.test_two"), failed("a.A.b"))

    comparison = compare(stock, ours, {})

    assert is_good([comparison], {})
    assert as_text(comparison).splitlines() == [
        "Not compared, since they fail with stock Django too: 1 of a.A",
        "Not compared, since they are skipped: 1 of a.A",
        "1 pass with both, 0 fail with ours only.",
    ]


def test_an_exception_is_printed_with_its_reason_and_excused() -> None:
    stock = outcomes(passed("a.A.test_one"), passed("a.A.test_thread"))
    ours = outcomes(passed("a.A.test_one"), failed("a.A.test_thread"))
    exceptions = {"a.A.test_thread": "it expects a thread"}

    comparison = compare(stock, ours, exceptions)

    assert is_good([comparison], exceptions)
    assert closing([comparison], exceptions).splitlines() == [
        "Exception: a.A.test_thread: it expects a thread",
        "1 tests: all that pass with stock Django pass with ours",
        "1 passed, 0 failed",
    ]


def test_an_exception_for_a_test_that_passes_is_an_error() -> None:
    both = outcomes(passed("a.A.test_one"))
    exceptions = {"a.A.test_one": "it expected a thread"}

    comparison = compare(both, both, exceptions)

    assert not is_good([comparison], exceptions)
    assert "Unnecessary exception: a.A.test_one" in closing([comparison], exceptions)


def test_runs_without_a_passed_test_are_not_good() -> None:
    comparison = compare({}, {}, {})

    assert not is_good([comparison], {})
