"""One pass over a recording, which counts and sorts its requests by their outcome."""

from array import array
from dataclasses import dataclass, field

from async_api.load.plan.pace import SECOND, is_paced
from async_api.load.recording import NEVER, Flag
from async_api.load.result.outcomes import Kind, classifier
from async_api.load.result.thresholds import LATE
from async_api.load.run import Run


@dataclass(slots=True)
class Tally:
    """Requests of the plan with the same outcome."""

    count: int = 0
    bytes: int = 0
    first: int = -1
    from_plan: "array[int]" = field(default_factory=lambda: array("i"))
    from_send: "array[int]" = field(default_factory=lambda: array("i"))
    first_byte: "array[int]" = field(default_factory=lambda: array("i"))


@dataclass(slots=True)
class SecondTally:
    planned: int = 0
    late: int = 0
    sent: int = 0
    answered: int = 0
    failed: int = 0
    from_plan: "array[int]" = field(default_factory=lambda: array("i"))
    from_send: "array[int]" = field(default_factory=lambda: array("i"))


@dataclass(slots=True)
class Tallies:
    """What one pass over the recording finds."""

    # By outcome, failed check and request.
    tallies: dict[tuple[int, int, int], Tally]
    kinds: dict[tuple[int, int, int], Kind]
    seconds: list[SecondTally]
    lateness: "array[int]" = field(default_factory=lambda: array("i"))
    waits: "array[int]" = field(default_factory=lambda: array("i"))
    sent: int = 0
    last_sent: int = 0
    first_response: int = 0
    last_response: int = 0
    redirects: int = 0
    warm_up: int = 0
    late_free: int = 0
    late_waiting: int = 0

    def of(self, *kinds: Kind, request: int | None = None) -> list[Tally]:
        """The tallies of these kinds, of one of the plan's requests or of all."""
        return [
            tally
            for key, tally in self.tallies.items()
            if self.kinds[key] in kinds and request in (None, key[2])
        ]


def tallies_of(run: Run) -> Tallies:
    recording = run.recording
    classify = classifier(run.plan)
    paced = is_paced(run.plan.load)
    latest = max(
        run.duration,
        max(recording.planned, default=0),
        max(recording.sent, default=0),
        max(recording.ended, default=0),
    )
    seconds = [SecondTally() for _ in range(latest // SECOND + 1)]
    tallies: dict[tuple[int, int, int], Tally] = {}
    kinds: dict[tuple[int, int, int], Kind] = {}
    found = Tallies(tallies, kinds, seconds, first_response=latest)
    warm_up_flag = Flag.WARM_UP.value
    waited_flags = (Flag.NONE_FREE | Flag.NEW_CONNECTION).value
    redirect_flag = Flag.REDIRECT.value
    add_lateness, add_wait = found.lateness.append, found.waits.append
    for planned, sent, first_byte, ended, size, outcome, check, request, flags in zip(
        recording.planned,
        recording.sent,
        recording.first_byte,
        recording.ended,
        recording.size,
        recording.outcome,
        recording.failed_check,
        recording.request,
        recording.flags,
        strict=True,
    ):
        if flags & warm_up_flag:
            found.warm_up += 1
            continue
        key = outcome, check, request
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = Tally()
            kinds[key] = classify(outcome, check, request)
        kind = kinds[key]
        tally.count += 1
        tally.bytes += size
        due = seconds[planned // SECOND]
        due.planned += 1
        if sent != NEVER:
            late = sent - planned
            found.sent += 1
            seconds[sent // SECOND].sent += 1
            if sent > found.last_sent:
                found.last_sent = sent
            if flags & waited_flags:
                add_wait(late)
            else:
                add_lateness(late)
            if paced and late > LATE:
                due.late += 1
                if flags & waited_flags:
                    found.late_waiting += 1
                else:
                    found.late_free += 1
        elif kind is Kind.SHED:
            due.late += 1
            if flags & waited_flags:
                found.late_waiting += 1
            else:
                found.late_free += 1
        if ended == NEVER:
            continue
        if tally.first < 0 or ended < tally.first:
            tally.first = ended
        tally.from_plan.append(ended - planned)
        if sent != NEVER:
            tally.from_send.append(ended - sent)
            if first_byte != NEVER:
                tally.first_byte.append(first_byte - sent)
        second = seconds[ended // SECOND]
        if outcome > 0:
            second.answered += 1
            if ended > found.last_response:
                found.last_response = ended
            if ended < found.first_response:
                found.first_response = ended
            if flags & redirect_flag:
                found.redirects += 1
            if kind is Kind.SUCCESS:
                second.from_plan.append(ended - planned)
                second.from_send.append(ended - sent)
        if kind is Kind.UNANSWERED or kind is Kind.UNEXPECTED:
            second.failed += 1
    return found
