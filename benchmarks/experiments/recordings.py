"""The memory of a million requests, and whether the percentiles are those of all of them."""

import sys
from collections.abc import Sequence
from typing import Any

from async_api.load.plan.plan import Closed
from async_api.load.recording import COLUMNS, Recording
from async_api.nearest_rank import nearest_rank
from benchmarks.clients.load import load_watched, plan_of
from benchmarks.clients.run import spread
from benchmarks.experiments.finding import Conditions, Finding, every
from benchmarks.results.goals import MEGABYTE, Goal
from benchmarks.results.report import count, megabytes
from benchmarks.servers.target import Target, running

REQUESTS = 1_000_000
CONNECTIONS = 64
MAX_MEGABYTES = 32


def measure(conditions: Conditions) -> Finding:
    with running(Target(under_uvicorn=False), conditions.core) as url:
        plan = plan_of(url, Closed(connections=CONNECTIONS, requests=REQUESTS))
        done, grown = load_watched(plan)
    recording = done.run.recording
    recorded = size_of(recording)
    raw = {"plan": sorted(done.from_plan()), "send": sorted(done.from_send())}
    rows = [
        (
            f"p{percent:g} from {name}",
            str(reported),
            str(nearest_rank(raw[name], percent)),
        )
        for name, percent, reported in done.percentiles
    ]
    unequal = [abs(int(reported) - int(sorted_)) for _, reported, sorted_ in rows]
    return Finding(
        f"{count(len(recording))} requests",
        (
            ("", "reported, µs", "of the sorted raw numbers"),
            *rows,
            ("recording", megabytes(recorded), ""),
            (
                "growth of the generator's memory, with the result's handing over",
                megabytes(grown),
                "",
            ),
        ),
        (
            Goal(
                "MB of recording",
                spread([recorded / MEGABYTE]),
                MAX_MEGABYTES,
                at_most=True,
            ),
            every("Percentiles that differ, by µs", unequal, 0),
        ),
    )


def size_of(recording: Recording) -> int:
    """Bytes of its arrays, with what they hold in reserve for growing."""
    columns: Sequence[Any] = [getattr(recording, name) for name in COLUMNS]
    return sum(map(sys.getsizeof, columns))
