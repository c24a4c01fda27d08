"""Latencies of a target that waits 50 ms, beside those that wrk measures."""

from collections.abc import Iterator

from async_api.drawing.duration import duration
from async_api.load.plan.plan import Closed
from benchmarks.clients.load import load, plan_of
from benchmarks.clients.run import Run, run_of, spread
from benchmarks.clients.wrk import run_wrk
from benchmarks.experiments.finding import Conditions, Finding, within
from benchmarks.results.goals import Goal
from benchmarks.results.report import count, in_words
from benchmarks.servers.target import Target, running

DELAY_SECONDS = 0.05
CONNECTIONS = (200, 1_000)
# In a shorter run, the first requests, which all connections send at once, decide p99.
SECONDS = 6
P50, P99 = 0.01, 0.05  # by which they may differ from wrk's


def measure(conditions: Conditions) -> Finding:
    rows: list[tuple[str, ...]] = []
    goals: list[Goal] = []
    target = Target(under_uvicorn=False, delay_seconds=DELAY_SECONDS)
    for connections in CONNECTIONS:
        with running(target, conditions.core) as url:
            run_wrk(url, connections, 1)
            pairs = [
                (
                    run_ours(url, connections),
                    run_wrk(url, connections, SECONDS),
                )
                for _ in range(conditions.rounds)
            ]
        ours, wrk = zip(*pairs, strict=True)
        rows += [cells(connections, "ours", ours), cells(connections, "wrk", wrk)]
        goals += judged(connections, ours, wrk)
    return Finding(
        "A target that waits 50 ms",
        (("connections", "", "requests per second", "p50", "p99"), *rows),
        tuple(goals),
    )


def run_ours(url: str, connections: int) -> Run:
    done = load(plan_of(url, Closed(connections=connections, seconds=SECONDS)))
    return run_of(done.from_send(), done.run.duration)


def judged(
    connections: int, ours: tuple[Run, ...], wrk: tuple[Run, ...]
) -> Iterator[Goal]:
    named = f"of {connections:,} connections, relative to wrk's"
    p50 = [our.p50 / their.p50 for our, their in zip(ours, wrk, strict=True)]
    p99 = [our.p99 / their.p99 for our, their in zip(ours, wrk, strict=True)]
    yield from within(f"p50 {named}", p50, P50)
    yield from within(f"p99 {named}", p99, P99)


def cells(connections: int, client: str, runs: tuple[Run, ...]) -> tuple[str, ...]:
    return (
        count(connections),
        client,
        in_words(spread(run.requests_per_second for run in runs), count),
        in_words(spread(run.p50 for run in runs), duration),
        in_words(spread(run.p99 for run in runs), duration),
    )
