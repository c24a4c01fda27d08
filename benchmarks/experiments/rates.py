"""How exactly a constant rate is kept: the rate itself, and the lateness of requests."""

from async_api.drawing.duration import duration
from async_api.load.plan.plan import Rate
from async_api.load.recording import Recording
from async_api.nearest_rank import nearest_rank
from benchmarks.clients.load import load, plan_of
from benchmarks.clients.run import spread
from benchmarks.experiments.finding import Conditions, Finding, every
from benchmarks.results.goals import Goal
from benchmarks.results.report import in_words
from benchmarks.servers.target import Target, running

RATES = (500, 5_000)
SECONDS = 10
CONNECTIONS = 64
MAX_DEVIATION = 0.1  # per cent
MAX_LATENESS = 1_000  # microseconds, of the 99th percentile


def measure(conditions: Conditions) -> Finding:
    rows: list[tuple[str, ...]] = []
    goals: list[Goal] = []
    with running(Target(under_uvicorn=False), conditions.core) as url:
        for rate in RATES:
            plan = plan_of(
                url, Rate(rate=rate, seconds=SECONDS, connections=CONNECTIONS)
            )
            runs = [load(plan) for _ in range(conditions.rounds)]
            recordings = [done.run.recording for done in runs]
            sent = [rate_sent(each) for each in recordings]
            deviations = [abs(each / rate - 1) * 100 for each in sent]
            late = [lateness(each) for each in recordings]
            rows.append(
                (
                    f"{rate:,}/s",
                    in_words(spread(sent), "{:,.3f}".format),
                    in_words(spread(nearest_rank(each, 50) for each in late), duration),
                    in_words(spread(nearest_rank(each, 99) for each in late), duration),
                    in_words(spread(each[-1] for each in late), duration),
                )
            )
            p99 = spread(nearest_rank(each, 99) / 1_000 for each in late)
            goals += [
                every(f"Deviation from {rate:,}/s, %", deviations, MAX_DEVIATION),
                Goal(
                    f"Lateness p99 at {rate:,}/s, ms",
                    p99,
                    MAX_LATENESS / 1_000,
                    at_most=True,
                ),
            ]
    return Finding(
        f"A constant rate for {SECONDS} s",
        (("asked", "sent", "lateness p50", "lateness p99", "longest"), *rows),
        tuple(goals),
    )


def rate_sent(recording: Recording) -> float:
    """Requests per second, over the intervals between the first and the last send."""
    sent = sorted(each for each in recording.sent if each >= 0)
    return (len(sent) - 1) * 1_000_000 / (sent[-1] - sent[0])


def lateness(recording: Recording) -> list[int]:
    """Microseconds from plan to send of each request that was sent, sorted."""
    pairs = zip(recording.planned, recording.sent, strict=True)
    return sorted(sent - planned for planned, sent in pairs if sent >= 0)
