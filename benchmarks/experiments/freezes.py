"""A target that stands still for a second: both latencies beside what arithmetic predicts."""

import os
import signal
import threading
import time

from async_api.drawing.duration import duration
from async_api.load.plan.plan import Rate
from async_api.nearest_rank import nearest_rank
from benchmarks.clients.load import Loaded, load, plan_of
from benchmarks.clients.run import RunFailed, spread
from benchmarks.experiments.finding import Conditions, Finding, within
from benchmarks.measuring.sockets import wait_for_connections
from benchmarks.results.goals import Goal
from benchmarks.results.report import in_words
from benchmarks.servers.announced import announced
from benchmarks.servers.server import Serving
from benchmarks.servers.target import Target, serve

RATE, SECONDS, CONNECTIONS = 100, 10, 10
FREEZE_AFTER_SECONDS = 3
FREEZE_SECONDS = 1
TOLERANCE = 0.05
MAX_P95_FROM_SEND = 10_000  # microseconds


def measure(conditions: Conditions) -> Finding:
    rounds = []
    with announced(serve, Target(under_uvicorn=False), conditions.core) as target:
        rounds = [freeze(target) for _ in range(conditions.rounds)]
    from_plan = [nearest_rank(sorted(done.from_plan()), 95) for done, _ in rounds]
    from_send = [nearest_rank(sorted(done.from_send()), 95) for done, _ in rounds]
    expected = [expected_p95(frozen) for _, frozen in rounds]
    return Finding(
        f"A target frozen for {FREEZE_SECONDS} s in {SECONDS} s, at {RATE}/s over "
        f"{CONNECTIONS} connections",
        (
            ("", "p95"),
            ("expected from plan", in_words(spread(expected), duration)),
            ("from plan", in_words(spread(from_plan), duration)),
            ("from send", in_words(spread(from_send), duration)),
        ),
        (
            *within(
                "p95 from plan, relative to the expected one",
                [
                    ours / theirs
                    for ours, theirs in zip(from_plan, expected, strict=True)
                ],
                TOLERANCE,
            ),
            Goal(
                "p95 from send, ms",
                spread(each / 1_000 for each in from_send),
                MAX_P95_FROM_SEND / 1_000,
                at_most=True,
            ),
        ),
    )


def expected_p95(frozen_seconds: float) -> float:
    """The 95th percentile of latency from plan, in microseconds.

    Requests are planned evenly. Of those planned during a freeze of F seconds, the one
    planned u seconds after its beginning is answered at its end, when the target reads
    what has waited: its latency is F - u. Requests planned at any other time take next to
    nothing. So of a run of T seconds the share (F - x) / T takes longer than x, for x
    from 0 to F, and the 95th percentile is the x for which that share is 1/20:

        x = F - T / 20

    With F = 1 and T = 10 that is 0.5 s. Two terms are left out. The first is the grid of
    requests: x is exact to one interval, 10 ms here. The second is the drain: when the
    freeze ends, the connections are answered and each takes the next request that waits,
    so the request with latency x is behind those planned before it, RATE * T / 20 less
    one for each connection: 40 here, which takes 4 ms at 10,000 requests per second.

    Latency from send differs because a request that waits for a connection is not yet
    sent. Only the requests under way when the freeze begins, one for each connection,
    see it: 10 of 1,000, fewer than the 50 that lie above the 95th percentile.
    """
    return (frozen_seconds - SECONDS / 20) * 1_000_000


def freeze(target: Serving) -> tuple[Loaded, float]:
    """A run during which the target is stopped, and for how many seconds it was."""
    results: list[Loaded] = []

    def run() -> None:
        plan = Rate(rate=RATE, seconds=SECONDS, connections=CONNECTIONS)
        results.append(load(plan_of(target.url, plan)))

    client = threading.Thread(target=run)
    client.start()
    try:
        wait_for_connections(target.process, CONNECTIONS)
        time.sleep(FREEZE_AFTER_SECONDS)
        os.kill(target.process, signal.SIGSTOP)
        began = time.perf_counter()
        try:
            time.sleep(FREEZE_SECONDS)
        finally:
            frozen = time.perf_counter() - began
            os.kill(target.process, signal.SIGCONT)
    finally:
        client.join()
    if not results:
        raise RunFailed("The run with a frozen target failed.")
    return results[0], frozen
