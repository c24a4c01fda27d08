"""Everything a run writes down: outcomes, connections, first failures and waterfalls.

Times come in as nanoseconds of ``time.perf_counter_ns()`` and are kept as microseconds
after the run's beginning.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from async_api.load.plan.plan import Plan
from async_api.load.recording import NEVER, FailedCheck, Flag, Outcome, Recording
from async_api.load.run import FirstFailure, OpenedConnection, Waterfall
from async_api.load.wire.connection import Connection

MAX_CONNECTIONS_KEPT = 1000
UNEXPECTED = "unexpected"
_CHECKS = {
    FailedCheck.STATUS: "has a status that the plan does not expect",
    FailedCheck.CONTAINS: "does not contain the text that the plan expects",
    FailedCheck.MATCHES: "does not match the pattern that the plan expects",
    FailedCheck.HEADER: "lacks the header that the plan expects",
    FailedCheck.SIZE: "has a size that the plan does not expect",
}


class Due(NamedTuple):
    """A request that is to be sent: when it was planned, and which it is."""

    planned: int
    request: int
    flags: int


@dataclass(slots=True)
class Ledger:
    """``began`` may be set until the first outcome."""

    plan: Plan
    began: int
    recording: Recording = field(default_factory=Recording)
    kept: list[OpenedConnection] = field(default_factory=list)
    opened: int = 0
    lost: int = 0
    replaced: int = 0
    reused: int = 0
    strays: int = 0
    exhausted: str = ""
    cold: Waterfall | None = None
    warm: Waterfall | None = None
    failed: int = 0  # without a response, or with one that fails a check
    shed: int = 0
    unsent: int = 0  # outcomes of requests that were not sent
    unanswered: int = 0  # outcomes without a response
    _failures: dict[str, FirstFailure] = field(default_factory=dict)
    _first_error: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        # From which status on the responses of each request are failures.
        self._first_error = [
            400 if request.checks.statuses is None else 1000
            for request in self.plan.requests
        ]

    @property
    def failures(self) -> tuple[FirstFailure, ...]:
        return tuple(sorted(self._failures.values(), key=lambda each: each.time))

    def exchanged(self, planned: int, request: int, flags: int, of: Connection) -> None:
        """Record what became of a request that was sent."""
        began = self.began
        outcome = of.outcome
        if not of.fresh:
            self.reused += 1
        if of.redirect:
            flags |= Flag.REDIRECT
        self.recording.add(
            (planned - began) // 1000,
            (of.sent - began) // 1000,
            (of.first_byte - began) // 1000 if of.first_byte else NEVER,
            (of.ended - began) // 1000,
            of.size,
            outcome,
            of.failed_check,
            request,
            flags,
        )
        if outcome < 0 or of.failed_check or outcome >= self._first_error[request]:
            self._fail(of, request)

    def unsent_request(
        self, due: Due, ended: int, outcome: Outcome, message: str
    ) -> None:
        """Record what became of a request of which no byte was sent."""
        self.unsent += 1
        self.unanswered += 1
        time = NEVER if outcome == Outcome.SHED else (ended - self.began) // 1000
        planned = (due.planned - self.began) // 1000
        self.recording.add(
            planned, NEVER, NEVER, time, 0, outcome, 0, due.request, due.flags
        )
        if outcome == Outcome.SHED:
            self.shed += 1
        else:
            self.failed += 1
        self._count(outcome.word, (ended - self.began) // 1000, message)

    def connected(self, opened: OpenedConnection) -> OpenedConnection:
        """Count a connection; returns it with its time after the run's beginning."""
        opened = replace(opened, opened=opened.opened - self.began // 1000)
        self.opened += 1
        if len(self.kept) < MAX_CONNECTIONS_KEPT:
            self.kept.append(opened)
        return opened

    def begin(self, now: int) -> None:
        """Start the clock; connections that are open already have negative times."""
        ahead = now // 1000 - self.began // 1000
        self.kept = [replace(each, opened=each.opened - ahead) for each in self.kept]
        self.began = now

    def _fail(self, of: Connection, request: int) -> None:
        self.failed += 1
        time = (of.ended - self.began) // 1000
        if of.outcome < 0:
            self.unanswered += 1
            self._count(Outcome(of.outcome).word, time, of.message)
        elif of.failed_check:
            self._count(
                UNEXPECTED,
                time,
                f"The response to {self.plan.requests[request].name} "
                f"{_CHECKS[FailedCheck(of.failed_check)]}; its status is {of.outcome}.",
            )

    def _count(self, kind: str, time: int, message: str) -> None:
        first = self._failures.get(kind)
        self._failures[kind] = (
            FirstFailure(kind=kind, time=time, message=message)
            if first is None
            else replace(first, count=first.count + 1)
        )


def waterfall(of: Connection, opened: OpenedConnection | None) -> Waterfall:
    """The phases of an exchange that has a response.

    With the phases of opening its connection, where those are given. `send` begins with
    the first byte written: between an early connection and its first request lies a
    wait that belongs to neither. A response that began before the request was written
    whole ends the phase of sending.
    """
    written = min(of.written or of.first_byte, of.first_byte)
    times = [each // 1000 for each in (of.sent, written, of.first_byte, of.ended)]
    sent, written, first_byte, ended = times
    return Waterfall(
        lookup=opened.lookup if opened else 0,
        tcp=opened.tcp if opened else 0,
        tls=opened.tls if opened else 0,
        send=written - sent,
        wait=first_byte - written,
        receive=ended - first_byte,
        server_timing=of.server_timing,
    )
