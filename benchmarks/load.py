"""Measures the load generator beside its peers. Run by `make bench-load`.

Every client runs on one core and its target on the other. Clients take turns, so that a
change on the machine affects all of them.
"""

import argparse
import os
import sys
from collections.abc import Callable

from benchmarks.clients.peers.installation import NotInstalled
from benchmarks.clients.run import RunFailed
from benchmarks.experiments import (
    accounts,
    delays,
    endings,
    freezes,
    phases,
    rates,
    recordings,
    speeds,
    verdicts,
)
from benchmarks.experiments.finding import Conditions, Finding, as_markdown, as_text
from benchmarks.options import rounds_parser
from benchmarks.results.document import with_block
from benchmarks.servers.processes import TooFewCores, take_one_core
from benchmarks.servers.server import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "load-benchmark.md"
EXPERIMENTS: dict[str, Callable[[Conditions], Finding]] = {
    "uvicorn": speeds.under_uvicorn,
    "no-server": speeds.without_server,
    "waiting": delays.measure,
    "rates": rates.measure,
    "frozen": freezes.measure,
    "verdicts": verdicts.measure,
    "accounts": accounts.measure,
    "phases": phases.measure,
    "million": recordings.measure,
    "endings": endings.measure,
}


def main() -> int:
    """Returns exit status 0 if everything was measured, and 2 if something was not."""
    options = parser().parse_args()
    names = options.only or list(EXPERIMENTS)
    if options.write and options.only:
        print("--write requires a run of everything.", file=sys.stderr)
        return 2
    try:
        core = take_one_core()
    except TooFewCores as error:
        print(error, file=sys.stderr)
        return 2
    conditions = Conditions(options.rounds, options.seconds, core)
    heading = (
        f"{options.rounds} rounds of {options.seconds} s where nothing else is said; "
        f"load average before: {os.getloadavg()[0]:.2f} (0 is best)"
    )
    print(heading, end="\n\n", flush=True)
    findings = []
    failed = False
    for name in names:
        try:
            findings.append(EXPERIMENTS[name](conditions))
        except (RunFailed, NotInstalled, TimeoutError) as error:
            failed = True
            print(f"{name} could not be measured: {error}", end="\n\n", flush=True)
        else:
            print(as_text(findings[-1]), end="\n\n", flush=True)
    if options.write and not failed:
        block = "\n\n".join((heading, *map(as_markdown, findings)))
        DOCUMENT.write_text(with_block(DOCUMENT.read_text(), "benchmark", block))
    return 2 if failed else 0


def parser() -> argparse.ArgumentParser:
    options = rounds_parser("benchmarks.load", __doc__)
    options.add_argument(
        "--only",
        choices=EXPERIMENTS,
        action="append",
        help="what to measure; may be repeated",
    )
    options.add_argument(
        "--write", action="store_true", help=f"replace the tables in {DOCUMENT.name}"
    )
    return options


if __name__ == "__main__":
    sys.exit(main())
