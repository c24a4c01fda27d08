"""Runs Django's tests with stock Django and with our classes, for `make test-django`."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import django

from async_views.runtime.postgres import embedded
from tests.django.comparison import compare
from tests.django.distribution import DistributionMissing, tests
from tests.django.exceptions import EXCEPTIONS
from tests.django.outcomes import Outcomes
from tests.django.run import CALLS, CLASSES, OURS, STOCK, Run, RunFailed, run_suites
from tests.django.verdict import as_text, closing, is_good
from tests.support.site import ROOT

VAR = ROOT / "var"
AT_ONCE = 2  # Stock and ours run side by side, under the same load.


def main() -> int:
    """Returns 0 if all tests that pass with stock Django pass with ours, else 1.

    The arguments name the ways of calling to try; without any, all are tried.
    """
    ways = sys.argv[1:] or CALLS
    started = time.monotonic()
    version = django.get_version()
    try:
        outcomes = run_all(tests(version, VAR / f"django-{version}"), ways)
    except (DistributionMissing, RunFailed, embedded.EmbeddedPostgresError) as error:
        print(error, file=sys.stderr)
        return 1
    comparisons = []
    for calls in ways:
        comparison = compare(
            outcomes[Run(STOCK, calls)], outcomes[Run(OURS, calls)], EXCEPTIONS
        )
        print(f"Calls: {calls}", as_text(comparison), "", sep="\n")
        comparisons.append(comparison)
    print(f"Django {version}, {time.monotonic() - started:.0f} seconds")
    print(closing(comparisons, EXCEPTIONS))
    return 0 if is_good(comparisons, EXCEPTIONS) else 1


def run_all(suites: Path, ways: Sequence[str]) -> dict[Run, Outcomes]:
    """The outcomes of every run; raises RunFailed and EmbeddedPostgresError."""
    # A separate server, because long transactions delay the vacuum of deleted rows, which some
    # of the site's tests check.
    directory = VAR / "postgres-for-django-s-tests"
    url = embedded.url(directory)
    runs = [Run(classes, calls) for calls, classes in product(ways, CLASSES)]
    with embedded.hold(directory), ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(
            zip(
                runs,
                pool.map(lambda run: run_suites(run, suites, url), runs),
                strict=True,
            )
        )


if __name__ == "__main__":
    sys.exit(main())
