"""What is an experiment?"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from async_api.bridges.executors import Executor
from async_api.bridges.question import Question
from async_api.bridges.run import Run
from async_api.bridges.surroundings import Surroundings

MAX_CALLS = 20  # of one experiment
MAX_SLEEP_SECONDS = 10.0  # of one call


@dataclass(frozen=True, slots=True)
class Prediction:
    """How long it will take, and why, in one sentence."""

    seconds: float
    reason: str

    @property
    def microseconds(self) -> int:
        return round(self.seconds * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One thing to see. What differs from one to the next is in its row."""

    name: str
    title: str
    shows: str  # one sentence, before it runs
    parameters: tuple[str, ...]
    predict: Callable[[Question, Surroundings], Prediction]
    executor: Callable[[Question, Surroundings], Executor]
    # All that is slept, one after the other: what the site's limit is about.
    seconds_in_a_row: Callable[[Question], float]
    # What to see it beside; its own name for the same with other threads, "" for nothing.
    counterpart: str = ""
    sleep_label: str = "Sleep, seconds"
    sleep_help: str = "How long each call takes"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousExperiment(Experiment):
    """Runs in an asynchronous view."""

    run: Callable[[Run], Coroutine[Any, Any, None]]
    # It blocks its event loop: not the one on which the site answers everybody else.
    needs_own_loop: bool = False
    # Its page sends the requests; each of them runs the experiment once.
    is_sent_by_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SynchronousExperiment(Experiment):
    """Runs in a synchronous view."""

    run: Callable[[Run], None]
