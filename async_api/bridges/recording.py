"""Who was busy with what during an experiment, and on which thread?"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class Activity(StrEnum):
    """What a bar of the timeline stands for."""

    BLOCKING = "blocking"
    SLEEPING = "sleeping"
    WAITING = "waiting"
    MOVING = "moving"
    THINKING = "thinking"
    STANDING_STILL = "standing_still"


ACTIVITY_LABELS = {
    Activity.BLOCKING: "blocks its thread",
    Activity.SLEEPING: "awaits, so that others run",
    Activity.WAITING: "waits for its turn",
    Activity.THINKING: "the amateur thinks",
    Activity.MOVING: "the master moves",
    Activity.STANDING_STILL: "the event loop answers nobody",
}


@dataclass(frozen=True, slots=True)
class Span:
    """One activity from its start to its end, in microseconds since the run began."""

    lane: str
    activity: Activity
    start: int
    end: int
    thread: str

    @property
    def time(self) -> int:
        return self.end - self.start


class Recording:
    """The spans of one run; threads and event loops may all write to it."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spans: list[Span] = []

    def now(self) -> int:
        """Microseconds since the run began, on the clock that all threads share."""
        return self.at(time.perf_counter())

    def at(self, moment: float) -> int:
        """Microseconds from the beginning of the run to a time of `perf_counter`."""
        return round((moment - self._began) * 1_000_000)

    @contextmanager
    def span(self, activity: Activity, lane: str = "") -> Iterator[None]:
        """Records how long the block took; without a lane, on its thread's."""
        start, thread = self.now(), threading.current_thread().name
        yield
        # Appending is atomic, so that no thread waits for another one's bookkeeping.
        self._spans.append(Span(lane or thread, activity, start, self.now(), thread))

    def spans(self) -> tuple[Span, ...]:
        """What has ended until now, in the order it began."""
        return tuple(sorted(self._spans, key=lambda span: (span.start, span.end)))
