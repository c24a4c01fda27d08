"""A recording of an experiment: which thread did what, and when."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class Activity(StrEnum):
    """What a bar of the timeline shows."""

    BLOCKING = "blocking"
    SLEEPING = "sleeping"
    WAITING = "waiting"
    MOVING = "moving"
    THINKING = "thinking"
    STANDING_STILL = "standing_still"


ACTIVITY_LABELS = {
    Activity.BLOCKING: "blocks its thread",
    Activity.SLEEPING: "awaits, so others run",
    Activity.WAITING: "waits for its turn",
    Activity.THINKING: "the amateur thinks",
    Activity.MOVING: "the master moves",
    Activity.STANDING_STILL: "the event loop is blocked",
}


@dataclass(frozen=True, slots=True)
class Span:
    """One activity from its start to its end, in microseconds since the trial began."""

    lane: str
    activity: Activity
    start: int
    end: int
    thread: str

    @property
    def time(self) -> int:
        return self.end - self.start


class Recording:
    """The spans of one trial; all threads and event loops may add to it."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spans: list[Span] = []

    def now(self) -> int:
        """Microseconds since the trial began, by the clock that all threads share."""
        return self.at(time.perf_counter())

    def at(self, moment: float) -> int:
        """Microseconds from the beginning of the trial to a time of `perf_counter`."""
        return round((moment - self._began) * 1_000_000)

    @contextmanager
    def span(self, activity: Activity, lane: str = "") -> Iterator[None]:
        """Records how long the block takes, in the lane of its thread unless one is given."""
        start, thread = self.now(), threading.current_thread().name
        yield
        # Appending is atomic, so no lock is needed.
        self._spans.append(Span(lane or thread, activity, start, self.now(), thread))

    def spans(self) -> tuple[Span, ...]:
        """The spans that have ended, in the order they began."""
        return tuple(sorted(self._spans, key=lambda span: (span.start, span.end)))
