"""Measures how a target that floods a probe affects the site. Run by `make bench-flood`."""

import json
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

from async_api.drawing.duration import duration
from async_api.nearest_rank import nearest_rank
from benchmarks.bridges import times_of
from benchmarks.clients.run import spread
from benchmarks.options import rounds_parser
from benchmarks.results.goals import MEGABYTE, Goal
from benchmarks.results.report import aligned, goal_line
from benchmarks.servers.flood import FLOODS, flooding
from benchmarks.servers.worker import Worker, print_measured

REQUESTS = 200  # all at once
TIMEOUT_SECONDS = 2
# The limit for 200 connections in docs/probe.md, and the same again for their objects.
MAX_MEGABYTES = 2 * 29


@dataclass(frozen=True, slots=True)
class Flooded:
    """One probe of a flooding target, and a page requested at the same time."""

    kind: str
    page: tuple[int, ...]  # response times in microseconds, sorted
    late: int  # microseconds by which the last request exceeded its timeout, or 0
    grown: int  # bytes that the peak memory of the worker exceeds the memory before


def main() -> int:
    """Returns exit status 0 if the measurement completed, and 2 if it could not run."""
    options = rounds_parser("benchmarks.flooded", __doc__).parse_args()

    def measure(worker: Worker) -> str:
        times_of(worker, 1)
        return as_text(
            [flood(worker, kind) for kind in FLOODS for _ in range(options.rounds)]
        )

    return print_measured(measure)


def flood(worker: Worker, kind: str) -> Flooded:
    parameters = {
        "request_num": REQUESTS,
        "concurrency": REQUESTS,
        "timeout": TIMEOUT_SECONDS,
        "format": "json",
    }
    before = worker.resident_bytes()
    worker.forget_peak()
    over = threading.Event()
    with flooding(kind) as url, ThreadPoolExecutor(1) as clients:
        page = clients.submit(times_of, worker, 60, over)
        time.sleep(0.2)
        try:
            path = "/requests/?" + urlencode({"url": url} | parameters)
            answer = json.loads(worker.get(path))
        finally:
            over.set()
        times = page.result()
    results = answer["successful_results"] + answer["failed_results"]
    longest = max(each["time"] for each in results)
    return Flooded(
        kind,
        tuple(sorted(times)),
        max(0, longest - TIMEOUT_SECONDS * 1_000_000),
        worker.peak_bytes() - before,
    )


def as_text(measured: Sequence[Flooded]) -> str:
    rows = [("flood", "/time p50", "p95", "longest", "past the timeout", "memory")]
    rows += [
        (
            each.kind,
            duration(nearest_rank(each.page, 50)),
            duration(nearest_rank(each.page, 95)),
            duration(each.page[-1]),
            duration(each.late),
            f"+{each.grown / MEGABYTE:.1f} MB",
        )
        for each in measured
    ]
    return "\n".join([*aligned(rows), *map(goal_line, goals(measured))])


def goals(measured: Sequence[Flooded]) -> tuple[Goal, ...]:
    """Goals for the worst value of all floods, not for the median."""
    p95 = max(nearest_rank(each.page, 95) for each in measured) / 1000
    late = max(each.late for each in measured) / 1000
    grown = max(each.grown for each in measured) / MEGABYTE
    return (
        Goal("Worst p95 of /time, ms", spread([p95]), 100, at_most=True),
        Goal("Longest time past the timeout, ms", spread([late]), 100, at_most=True),
        Goal("Most memory, MB", spread([grown]), MAX_MEGABYTES, at_most=True),
    )


if __name__ == "__main__":
    sys.exit(main())
