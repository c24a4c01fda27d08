"""Measures the speed, accuracy and memory of the probe. Run by `make bench-probe`."""

import argparse
import json
import os
import sys
from pathlib import Path

from benchmarks.clients.run import RunFailed
from benchmarks.clients.wrk import WrkMissing, require_wrk
from benchmarks.measuring.memory import CONCURRENCY, REQUESTS, footprints
from benchmarks.measuring.race import AT_ONCE, NO_SERVER, WAITING, race
from benchmarks.options import rounds_parser
from benchmarks.results.goals import fast_enough, given_back, small_enough, true_enough
from benchmarks.results.report import (
    Finding,
    as_json,
    as_text,
    footprints_table,
    runs_table,
)
from benchmarks.servers.processes import TooFewCores, take_one_core
from benchmarks.servers.server import ServerFailed

EXPERIMENTS = ("at-once", "no-server", "waiting", "memory")


def main() -> int:
    """Returns exit status 0 if the measurement completed, and 2 if it could not run."""
    options = parser().parse_args()
    findings = {}
    try:
        require_wrk()
        target_core = take_one_core()
        print(f"Load average before: {os.getloadavg()[0]:.2f} (0 is best)\n")
        for experiment in options.only or EXPERIMENTS:
            finding = find(experiment, options, target_core)
            print(as_text(finding), end="\n\n", flush=True)
            findings[experiment] = as_json(finding)
    except (WrkMissing, TooFewCores, RunFailed, ServerFailed) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(findings, indent=2) + "\n")
    return 0


def parser() -> argparse.ArgumentParser:
    options = rounds_parser("benchmarks.probe", __doc__)
    options.add_argument(
        "--only",
        choices=EXPERIMENTS,
        action="append",
        help="an experiment to run; may be repeated",
    )
    options.add_argument("--json", type=Path, help="file for all measured numbers")
    return options


def find(experiment: str, options: argparse.Namespace, target_core: int) -> Finding:
    if experiment == "memory":
        measured = footprints(target_core)
        return Finding(
            f"A worker of the site, {REQUESTS:,} requests, {CONCURRENCY} at a time",
            footprints_table(measured),
            (small_enough(measured), given_back(measured)),
            measured,
        )
    course, goals = {
        "at-once": (AT_ONCE, (fast_enough,)),
        # No real server is like this target, so this has no goal.
        "no-server": (NO_SERVER, ()),
        "waiting": (WAITING, (true_enough,)),
    }[experiment]
    runs = race(course, options.rounds, options.seconds, target_core)
    return Finding(
        course.title, runs_table(runs), tuple(goal(runs) for goal in goals), runs
    )


if __name__ == "__main__":
    sys.exit(main())
