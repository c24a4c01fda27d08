"""What is an experiment?"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from async_api.bridges.executors import Executor
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial


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
    parameter_names: tuple[str, ...]
    predict: Callable[[Parameters, Surroundings], Prediction]
    executor: Callable[[Parameters, Surroundings], Executor]
    # All that is slept, one after the other: what the site's limit is about.
    seconds_in_a_row: Callable[[Parameters], float]
    # What to see it beside; its own name for the same with other threads, "" for nothing.
    counterpart: str = ""
    sleep_label: str = "Sleep, seconds"
    sleep_help: str = "How long each call takes"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousExperiment(Experiment):
    """Runs in an asynchronous view."""

    run: Callable[[Trial], Coroutine[Any, Any, None]]
    # It blocks its event loop: not the one on which the site answers everybody else.
    needs_own_loop: bool = False
    # Its page sends the requests; each of them runs the experiment once.
    is_sent_by_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SynchronousExperiment(Experiment):
    """Runs in a synchronous view."""

    run: Callable[[Trial], None]
