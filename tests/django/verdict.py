"""The text of the comparisons, with the result at the end."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from tests.django.comparison import Comparison

TRACEBACKS = 10  # If a class is wrong, hundreds of tests fail in the same way.


def is_good(comparisons: Sequence[Comparison], exceptions: Mapping[str, str]) -> bool:
    """Some tests passed, none failed with ours only, and all exceptions are needed."""
    return all(
        comparison.passed and not comparison.failed for comparison in comparisons
    ) and not needless(comparisons, exceptions)


def needless(
    comparisons: Sequence[Comparison], exceptions: Mapping[str, str]
) -> list[str]:
    """Exceptions for tests that pass, or that do not exist."""
    needed = {test for comparison in comparisons for test in comparison.excepted}
    return [test for test in exceptions if test not in needed]


def as_text(comparison: Comparison) -> str:
    """The failures, the tests that were not compared, and the numbers."""
    return "\n".join(
        [
            *_failures(comparison.failed),
            *_by_class("fail with stock Django too", comparison.failed_with_stock),
            *_by_class("are skipped", comparison.skipped_with_stock),
            f"{len(comparison.passed)} pass with both,"
            f" {len(comparison.failed)} fail with ours only.",
        ]
    )


def closing(comparisons: Sequence[Comparison], exceptions: Mapping[str, str]) -> str:
    """The exceptions, the result in one line, and the two counts."""
    passed = sum(len(comparison.passed) for comparison in comparisons)
    failed = sum(len(comparison.failed) for comparison in comparisons)
    all_or_not = "all" if is_good(comparisons, exceptions) else "not all"
    return "\n".join(
        [
            *(f"Exception: {test}: {reason}" for test, reason in exceptions.items()),
            *(
                f"Unnecessary exception: {test}"
                for test in needless(comparisons, exceptions)
            ),
            f"{passed + failed} tests:"
            f" {all_or_not} that pass with stock Django pass with ours",
            f"{passed} passed, {failed} failed",
        ]
    )


def _failures(failed: Mapping[str, str]) -> Iterator[str]:
    for place, (test, why) in enumerate(failed.items()):
        yield f"Fails with ours only: {test}"
        if place < TRACEBACKS:
            yield from (f"    {line}" for line in why.splitlines())


def _by_class(what: str, tests: Collection[str]) -> Iterator[str]:
    for name, count in sorted(Counter(t.rpartition(".")[0] for t in tests).items()):
        yield f"Not compared, since they {what}: {count} of {name}"
