"""Whether every request is accounted for when the target disturbs every second one."""

import multiprocessing
from dataclasses import dataclass
from typing import get_args

from async_api.load.plan.plan import Closed, Load, Rate
from async_api.load.recording import Recording
from benchmarks.clients.load import load, plan_of
from benchmarks.experiments.finding import Conditions, Finding, every
from benchmarks.results.report import count
from benchmarks.servers.announced import announced
from benchmarks.servers.troubled import Trouble, serve

LOADS: dict[str, Load] = {
    "closed": Closed(connections=32, requests=2_000),
    "1,000/s": Rate(rate=1_000, seconds=2, connections=64),
}
RESPONSE_SECONDS = 0.1  # a stalled response fails after them


@dataclass(frozen=True, slots=True)
class Account:
    """The requests of a run as the generator recorded them, and as the target read them."""

    trouble: Trouble
    load: str
    sent: int
    answered: int
    failed: int  # after they were sent
    read: int  # by the target

    @property
    def differences(self) -> tuple[int, int]:
        return (
            abs(self.sent - self.answered - self.failed),
            abs(self.sent - self.read),
        )


def measure(conditions: Conditions) -> Finding:
    accounts = [
        account(trouble, name, conditions.core)
        for trouble in get_args(Trouble)
        for name in LOADS
    ]
    differences = [each.differences for each in accounts]
    return Finding(
        "Every second request reset, stalled or half closed",
        (
            ("", "load", "sent", "answered", "failed", "read by the target"),
            *(
                (
                    *(each.trouble, each.load),
                    *map(count, (each.sent, each.answered, each.failed, each.read)),
                )
                for each in accounts
            ),
        ),
        (
            every("sent - answered - failed", [one for one, _ in differences], 0),
            every("sent - read by the target", [other for _, other in differences], 0),
        ),
    )


def account(trouble: Trouble, name: str, core: int) -> Account:
    log = multiprocessing.get_context("spawn").Value("q", 0)
    with announced(serve, trouble, core, log) as target:
        plan = plan_of(target.url, LOADS[name], response_seconds=RESPONSE_SECONDS)
        run = load(plan).run
        sent, answered, failed = counts(run.recording)
        return Account(trouble, name, sent, answered, failed, log.value)


def counts(recording: Recording) -> tuple[int, int, int]:
    """How many requests were sent, were answered, and failed after they were sent."""
    outcomes = [
        outcome
        for sent, outcome in zip(recording.sent, recording.outcome, strict=True)
        if sent >= 0
    ]
    answered = sum(outcome > 0 for outcome in outcomes)
    return len(outcomes), answered, sum(outcome < 0 for outcome in outcomes)
