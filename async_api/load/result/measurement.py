"""A run in numbers: counts, rates and latencies, in all, by request and by second.

Latency *from plan* is counted from the time at which a request was due, so it includes
its wait for a connection and the generator's own lateness. Latency *from send* is counted
from its first byte written. Requests planned in the warm-up are in none of these numbers
but `Counts.warm_up`. All times are in microseconds.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from async_api.load.plan.budgets import parse_budget
from async_api.load.plan.pace import SECOND, asked_rate, planned_time
from async_api.load.plan.plan import Plan
from async_api.load.result.outcomes import (
    Kind,
    check_name,
    failure_kind,
)
from async_api.load.result.percentiles import (
    PERCENTS,
    Statistics,
    statistics,
)
from async_api.load.result.tally import Tallies, Tally, tallies_of
from async_api.load.run import Run, Second
from async_api.nearest_rank import nearest_rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of requests: planned = answered + unanswered + shed + cancelled.

    And answered = succeeded + errors + unexpected, and failed = unanswered + unexpected.
    Requests whose connection could not be opened failed without being sent.
    """

    planned: int
    sent: int  # at least one byte was written
    answered: int  # with a whole response
    succeeded: int  # responses that passed every check
    errors: int  # responses of 400 or more, where the plan names no statuses
    unexpected: int  # responses that failed a check of the plan
    unanswered: int
    shed: int
    cancelled: int
    redirects: int  # responses that point elsewhere, which was not followed
    warm_up: int  # requests excluded from all of this

    @property
    def failed(self) -> int:
        return self.unanswered + self.unexpected

    def share(self, count: int) -> float:
        """Of the planned requests that were not cancelled; 0 where there are none."""
        whole = self.planned - self.cancelled
        return count / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests per second, each over its own time.

    `sent` is counted until the last send and `answered` from the first response to the
    last one; both at least over the planned time, so a constant latency changes neither.
    """

    asked: float | None  # None in a closed load
    sent: float
    answered: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Latencies of one class of requests; None where there is none."""

    from_plan: Statistics | None
    from_send: Statistics | None
    first_byte: Statistics | None  # from the send


@dataclass(frozen=True, slots=True)
class FailureCount:
    """Failures of one kind, and of one check where the kind is `unexpected`."""

    kind: str
    check: str
    count: int
    first: int  # when the first of them ended
    message: str


@dataclass(frozen=True, slots=True)
class RequestResult:
    """The outcomes of one of the plan's requests."""

    name: str
    planned: int
    succeeded: int
    errors: int
    failed: int
    timing: Timing  # of its successes


@dataclass(frozen=True, slots=True)
class Quantiles:
    p50: int
    p95: int
    p99: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PerSecond:
    """What was planned, sent, answered and failed in one second, and how it went."""

    second: int  # from 0
    planned: int
    late: int  # of those, sent more than LATE after they were due, or shed
    sent: int
    answered: int
    failed: int
    from_plan: Quantiles | None  # of the successes that ended in it
    from_send: Quantiles | None
    condition: Second | None  # None where the generator reported none


@dataclass(frozen=True, slots=True)
class Connections:
    """`Run` describes each count; they include the warm-up's."""

    opened: int
    lost: int
    replaced: int
    reused: int
    strays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    counts: Counts
    rates: Rates
    duration: int  # of the whole run
    measured_from: int  # the end of the warm-up
    bytes: int  # of all bodies, including incomplete ones
    statuses: dict[int, int]  # responses by status, in order of status
    failures: tuple[FailureCount, ...]  # the most frequent first
    successes: Timing
    errors: Timing
    failed: Timing  # until the failure was known
    requests: tuple[RequestResult, ...]
    connections: Connections
    lateness: Statistics | None  # of sends where a connection was free
    waits: Statistics | None  # from planned to sent, where none was
    late_free: int  # requests sent late although a connection was free
    late_waiting: int  # requests sent late, or shed, because none was
    seconds: tuple[PerSecond, ...]


def measure(run: Run) -> Measurement:
    """The numbers of a run; a million requests take a few seconds."""
    found = tallies_of(run)
    percents = _percents(run.plan)
    successes = _timing(found.of(Kind.SUCCESS), percents)
    by_kind = Counter[Kind]()
    for key, tally in found.tallies.items():
        by_kind[found.kinds[key]] += tally.count
    answered = by_kind[Kind.SUCCESS] + by_kind[Kind.ERROR] + by_kind[Kind.UNEXPECTED]
    statuses = Counter[int]()
    for (outcome, _, _), tally in found.tallies.items():
        if outcome > 0:
            statuses[outcome] += tally.count
    return Measurement(
        counts=Counts(
            planned=by_kind.total(),
            sent=found.sent,
            answered=answered,
            succeeded=by_kind[Kind.SUCCESS],
            errors=by_kind[Kind.ERROR],
            unexpected=by_kind[Kind.UNEXPECTED],
            unanswered=by_kind[Kind.UNANSWERED],
            shed=by_kind[Kind.SHED],
            cancelled=by_kind[Kind.CANCELLED],
            redirects=found.redirects,
            warm_up=found.warm_up,
        ),
        rates=_rates(run, found, answered),
        duration=run.duration,
        measured_from=_warm_up(run.plan),
        bytes=sum(tally.bytes for tally in found.tallies.values()),
        statuses=dict(sorted(statuses.items())),
        failures=_failures(run, found),
        successes=successes,
        errors=_timing(found.of(Kind.ERROR), percents),
        failed=_timing(found.of(Kind.UNEXPECTED, Kind.UNANSWERED), percents),
        requests=_by_request(run.plan, found, percents, successes),
        connections=Connections(
            run.opened, run.lost, run.replaced, run.reused, run.strays
        ),
        lateness=statistics(found.lateness),
        waits=statistics(found.waits),
        late_free=found.late_free,
        late_waiting=found.late_waiting,
        seconds=_seconds(run, found),
    )


def _warm_up(plan: Plan) -> int:
    return round(plan.conditions.warm_up_seconds * SECOND)


def _percents(plan: Plan) -> tuple[float, ...]:
    """Those that every report has, and those of the plan's budgets."""
    asked = {parse_budget(text).percentile for text in plan.budgets} - {None}
    return tuple(sorted({*PERCENTS, *(each for each in asked if each is not None)}))


def _timing(tallies: Sequence[Tally], percents: Sequence[float]) -> Timing:
    return Timing(
        statistics(_joined(tally.from_plan for tally in tallies), percents),
        statistics(_joined(tally.from_send for tally in tallies), percents),
        statistics(_joined(tally.first_byte for tally in tallies), percents),
    )


def _joined(columns: Iterable["array[int]"]) -> "array[int]":
    whole = array("i")
    for column in columns:
        whole.extend(column)
    return whole


def _by_request(
    plan: Plan, found: Tallies, percents: Sequence[float], successes: Timing
) -> tuple[RequestResult, ...]:
    def count(index: int, *kinds: Kind) -> int:
        return sum(tally.count for tally in found.of(*kinds, request=index))

    return tuple(
        RequestResult(
            name=request.name,
            planned=count(index, *Kind),
            succeeded=count(index, Kind.SUCCESS),
            errors=count(index, Kind.ERROR),
            failed=count(index, Kind.UNEXPECTED, Kind.UNANSWERED),
            # Sorting a million times again takes a second.
            timing=successes
            if len(plan.requests) == 1
            else _timing(found.of(Kind.SUCCESS, request=index), percents),
        )
        for index, request in enumerate(plan.requests)
    )


def _failures(run: Run, found: Tallies) -> tuple[FailureCount, ...]:
    messages = {each.kind: each.message for each in run.failures}
    counted: dict[tuple[str, str], list[Tally]] = {}
    for key, tally in found.tallies.items():
        outcome, check, _ = key
        if found.kinds[key].failed:
            kind = failure_kind(outcome)
            counted.setdefault((kind, check_name(check)), []).append(tally)
    return tuple(
        sorted(
            (
                FailureCount(
                    kind,
                    check,
                    sum(tally.count for tally in tallies),
                    min((each.first for each in tallies if each.first >= 0), default=0),
                    messages.get(f"{kind}: {check}", messages.get(kind, "")),
                )
                for (kind, check), tallies in counted.items()
            ),
            key=lambda each: (-each.count, each.kind, each.check),
        )
    )


def _rates(run: Run, found: Tallies, answered: int) -> Rates:
    began = _warm_up(run.plan)
    planned = planned_time(run.plan)
    if planned is None:
        # Nothing but its last response says when such a run ended.
        whole = run.duration - began
        return Rates(None, _per_second(found.sent, whole), _per_second(answered, whole))
    end = min(planned, run.duration) if run.cancelled else planned
    return Rates(
        asked_rate(run.plan),
        _per_second(found.sent, max(end, found.last_sent) - began),
        _per_second(
            answered, max(end - began, found.last_response - found.first_response)
        ),
    )


def _per_second(count: int, microseconds: int) -> float:
    return count * SECOND / microseconds if microseconds > 0 else 0.0


def _seconds(run: Run, found: Tallies) -> tuple[PerSecond, ...]:
    return tuple(
        PerSecond(
            second=index,
            planned=tally.planned,
            late=tally.late,
            sent=tally.sent,
            answered=tally.answered,
            failed=tally.failed,
            from_plan=_quantiles(tally.from_plan),
            from_send=_quantiles(tally.from_send),
            condition=run.seconds[index] if index < len(run.seconds) else None,
        )
        for index, tally in enumerate(found.seconds)
    )


def _quantiles(times: "array[int]") -> Quantiles | None:
    if not times:
        return None
    ordered = sorted(times)
    return Quantiles(*(nearest_rank(ordered, percent) for percent in (50, 95, 99)))
