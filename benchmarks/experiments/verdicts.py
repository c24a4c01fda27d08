"""Whether a run is called INVALID when the generator was the limit, and only then."""

from dataclasses import dataclass

from async_api.drawing.duration import duration
from async_api.load.plan.plan import Closed, Rate
from async_api.nearest_rank import nearest_rank
from benchmarks.clients.load import Loaded, load, plan_of
from benchmarks.clients.run import Spread, spread
from benchmarks.experiments.finding import Conditions, Finding
from benchmarks.results.goals import Goal
from benchmarks.results.report import count, in_words
from benchmarks.servers.target import Target, running

RUNS = 20
CAPACITY_RUNS = 3
CONNECTIONS = 64
ABOVE, BELOW = 2, 0.5  # of the generator's capacity
INVALID = "INVALID"
# A target that answers 10 requests at a time, each in 20 ms, and twice that rate.
SLOW = Target(under_uvicorn=False, delay_seconds=0.02)
SLOW_CONNECTIONS = 10
SLOW_CAPACITY = SLOW_CONNECTIONS / SLOW.delay_seconds
LEAST_RATIO = 5  # of p50 from plan to p50 from send


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's verdict with its reasons, and its two medians in microseconds."""

    verdict: str
    reasons: tuple[str, ...]
    from_plan: int
    from_send: int


def measure(conditions: Conditions) -> Finding:
    with running(Target(under_uvicorn=False), conditions.core) as url:
        capacity = capacity_of_generator(url, conditions.seconds)
        above = repeated(url, capacity * ABOVE, CONNECTIONS, conditions.seconds)
        below = repeated(url, capacity * BELOW, CONNECTIONS, conditions.seconds)
    with running(SLOW, conditions.core) as url:
        rate = SLOW_CAPACITY * 2
        slow = repeated(url, rate, SLOW_CONNECTIONS, conditions.seconds)
    return Finding(
        f"{RUNS} runs of each kind; the generator's capacity is {count(capacity)}/s",
        (
            ("", INVALID, "reasons", "p50 from plan", "p50 from send"),
            row(f"asked for {ABOVE} times the generator's capacity", above),
            row(f"asked for {BELOW} of it", below),
            row(
                f"asked for twice the target's capacity, {count(SLOW_CAPACITY)}/s", slow
            ),
        ),
        (
            invalid("above the generator's capacity", above, RUNS, at_most=False),
            invalid("at half of it", below, 0, at_most=True),
            invalid("above the target's capacity", slow, 0, at_most=True),
            Goal(
                "p50 from plan above the target's capacity, relative to p50 from send",
                spread(each.from_plan / each.from_send for each in slow),
                LEAST_RATIO,
                at_most=False,
            ),
        ),
    )


def capacity_of_generator(url: str, seconds: int) -> float:
    """Requests per second against a target that is faster than the generator.

    The most of several runs, because a machine that is slow for a while understates it.
    """
    plan = plan_of(url, Closed(connections=CONNECTIONS, seconds=seconds))
    runs = [load(plan).run for _ in range(CAPACITY_RUNS)]
    return max(len(run.recording) * 1_000_000 / run.duration for run in runs)


def repeated(url: str, rate: float, connections: int, seconds: int) -> list[Judged]:
    plan = plan_of(url, Rate(rate=rate, seconds=seconds, connections=connections))
    return [judged(load(plan)) for _ in range(RUNS)]


def judged(done: Loaded) -> Judged:
    return Judged(
        done.verdict,
        done.reasons,
        nearest_rank(sorted(done.from_plan()), 50),
        nearest_rank(sorted(done.from_send()), 50),
    )


def invalid(where: str, runs: list[Judged], bound: int, at_most: bool) -> Goal:
    number = sum(each.verdict == INVALID for each in runs)
    measured = Spread(number, number, number)
    return Goal(f"{INVALID} of {RUNS} {where}", measured, bound, at_most)


def row(name: str, runs: list[Judged]) -> tuple[str, ...]:
    reasons = [reason for each in runs for reason in each.reasons]
    return (
        name,
        str(sum(each.verdict == INVALID for each in runs)),
        ", ".join(f"{each} {reasons.count(each)}" for each in dict.fromkeys(reasons)),
        in_words(spread(each.from_plan for each in runs), duration),
        in_words(spread(each.from_send for each in runs), duration),
    )
