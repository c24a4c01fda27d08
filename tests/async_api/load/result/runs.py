"""Runs built by hand, from one line a request."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from async_api.load.plan.plan import Checks, Closed, Conditions, Load, Plan, Rate
from async_api.load.plan.plan import Request as PlannedRequest
from async_api.load.recording import NEVER, FailedCheck, Outcome, Recording
from async_api.load.run import Run, Second
from async_api.outbound.targets import parse_target

MS = 1_000
SECOND = 1_000_000
SUCCESSFUL = 200


class Sent(NamedTuple):
    """A request; times in microseconds."""

    planned: int = 0
    time: int = 10 * MS  # from the send
    late: int = 0  # sent that long after it was planned
    outcome: int = SUCCESSFUL
    wait: int | None = None  # from the send to the first byte; None for all of `time`
    size: int = 100
    failed_check: int = FailedCheck.NONE
    request: int = 0
    flags: int = 0

    def row(self) -> tuple[int, int, int, int, int, int, int, int, int]:
        sent = self.planned + self.late
        ended = sent + self.time
        first_byte = sent + (self.time if self.wait is None else self.wait)
        if self.outcome == Outcome.SHED:
            sent = first_byte = ended = NEVER
        elif self.outcome in (Outcome.CONNECT, Outcome.DNS, Outcome.REFUSED):
            sent = first_byte = NEVER
        elif self.outcome < 0:
            first_byte = NEVER
        return (
            self.planned,
            sent,
            first_byte,
            ended,
            self.size,
            self.outcome,
            self.failed_check,
            self.request,
            self.flags,
        )


def a_request(name: str = "GET /", **checks: Any) -> PlannedRequest:
    return PlannedRequest(
        target=parse_target("http://example.org/"), name=name, checks=Checks(**checks)
    )


def a_plan(
    load: Load | None = None, *requests: PlannedRequest, **conditions: Any
) -> Plan:
    return Plan(
        requests=requests or (a_request(),),
        load=load or Closed(connections=1, requests=1),
        conditions=Conditions(**conditions),
    )


def a_second(**members: int) -> Second:
    """A generator at rest."""
    condition = {
        "cpu": 100 * MS,
        "steal": 0,
        "collecting": 0,
        "lag": 500,
        "connections": 10,
        "in_use": 5,
    }
    return Second(**condition | members)


def a_run(sent: Iterable[Sent], plan: Plan | None = None, **members: Any) -> Run:
    """A run of these requests; as long as the last of them, and at rest."""
    recording = Recording()
    for each in sent:
        recording.add(*each.row())
    duration = max([0, *recording.planned, *recording.ended])
    run = Run(
        plan=plan or a_plan(),
        began=1_700_000_000.0,
        duration=duration,
        recording=recording,
    )
    seconds = -(-members.get("duration", duration) // SECOND)
    return replace(run, **{"seconds": (a_second(),) * seconds} | members)


def steady(
    rate: int,
    seconds: int,
    /,
    *,
    time: int = 10 * MS,
    connections: int = 10,
    conditions: dict[str, Any] | None = None,
    **members: Any,
) -> Run:
    """A kept plan with a rate, every response of which takes the same time."""
    gap = SECOND // rate
    return a_run(
        (Sent(planned=index * gap, time=time) for index in range(rate * seconds)),
        a_plan(
            Rate(rate=rate, seconds=seconds, connections=connections),
            **conditions or {},
        ),
        **members,
    )
