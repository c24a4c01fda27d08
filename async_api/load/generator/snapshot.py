"""What a run has done so far, as its generator reports it once a second."""

from array import array
from dataclasses import dataclass, field

from async_api.load.generator.sending.ledger import Ledger

# Outcomes of a second that a snapshot contains; of more, evenly spread ones.
MAX_OUTCOMES = 4000
COLUMNS = {"planned": "i", "sent_times": "i", "ended": "i", "outcome": "h"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Counts since the run began, and outcomes since the snapshot before.

    ``planned``, ``sent_times``, ``ended`` and ``outcome`` are columns as in a Recording: those
    of all outcomes since then, or of 2,000 to 4,000 evenly spread ones.
    """

    elapsed: int  # microseconds since the run began
    sent: int  # requests
    answered: int  # responses
    failed: int  # no response, or one that fails a check
    shed: int
    rate: float  # responses per second since the snapshot before
    connections: int  # open
    in_use: int
    planned: "array[int]" = field(default_factory=lambda: array("i"))
    sent_times: "array[int]" = field(default_factory=lambda: array("i"))
    ended: "array[int]" = field(default_factory=lambda: array("i"))
    outcome: "array[int]" = field(default_factory=lambda: array("h"))

    def from_plan(self) -> list[int]:
        """Latencies of the responses from their planned times, ascending."""
        return self._latencies(self.planned)

    def from_send(self) -> list[int]:
        """Latencies of the responses from their sending, ascending."""
        return self._latencies(self.sent_times)

    def _latencies(self, starts: "array[int]") -> list[int]:
        return sorted(
            ended - start
            for start, ended, outcome in zip(
                starts, self.ended, self.outcome, strict=True
            )
            if outcome > 0
        )


class Snapshots:
    """Takes the snapshots of one run."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._elapsed = 0
        self._answered = 0
        self._seen = 0

    def take(self, now: int, connections: int, in_use: int) -> Snapshot:
        """``now`` is in nanoseconds of ``time.perf_counter_ns()``."""
        ledger, recording = self._ledger, self._ledger.recording
        count = len(recording)
        elapsed = (now - ledger.began) // 1000
        answered = count - ledger.unanswered
        passed = max(1, elapsed - self._elapsed)
        step = -(-(count - self._seen) // MAX_OUTCOMES) or 1
        latest = slice(self._seen, count, step)
        snapshot = Snapshot(
            elapsed=elapsed,
            sent=count - ledger.unsent + in_use,
            answered=answered,
            failed=ledger.failed,
            shed=ledger.shed,
            rate=(answered - self._answered) / passed * 1e6,
            connections=connections,
            in_use=in_use,
            planned=recording.planned[latest],
            sent_times=recording.sent[latest],
            ended=recording.ended[latest],
            outcome=recording.outcome[latest],
        )
        self._elapsed, self._answered, self._seen = elapsed, answered, count
        return snapshot
