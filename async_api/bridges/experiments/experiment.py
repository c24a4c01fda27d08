"""Experiments and their predictions."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from async_api.bridges.executors import Executor
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial

MAX_CALLS = 20  # of one experiment
MAX_SLEEP_SECONDS = 10.0  # of one call


@dataclass(frozen=True, slots=True)
class Prediction:
    """How long an experiment will take, and a sentence that says why."""

    seconds: float
    reason: str

    @property
    def microseconds(self) -> int:
        return round(self.seconds * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Something to see and measure. Subclasses say in which kind of view it runs."""

    name: str
    title: str
    shows: str  # one sentence, before it runs
    parameter_names: tuple[str, ...]
    predict: Callable[[Parameters, Surroundings], Prediction]
    executor: Callable[[Parameters, Surroundings], Executor]
    # The sum of all sleeps, which BRIDGE_MAX_TOTAL_SECONDS limits.
    seconds_in_a_row: Callable[[Parameters], float]
    # The experiment to compare with; its own name for itself with the other kind of thread,
    # "" for none.
    counterpart: str = ""
    sleep_label: str = "Sleep, seconds"
    sleep_help: str = "How long each call takes"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousExperiment(Experiment):
    """Runs in an asynchronous view."""

    run: Callable[[Trial], Coroutine[Any, Any, None]]
    # It blocks its event loop, so it must not run on the one that serves other requests.
    needs_own_loop: bool = False
    # Its page sends the requests, each of which runs the experiment once.
    is_sent_by_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SynchronousExperiment(Experiment):
    """Runs in a synchronous view."""

    run: Callable[[Trial], None]
