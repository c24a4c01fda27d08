"""Which experiments are there, and which of them are one click away?"""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse

from async_api.bridges.experiments.blocking import BLOCKING
from async_api.bridges.experiments.chess import (
    CHESS_AROUND_THE_ROOM,
    CHESS_ONE_BOARD_AT_A_TIME,
)
from async_api.bridges.experiments.coroutines import GATHER, ONE_BY_ONE, SEMAPHORE
from async_api.bridges.experiments.crossing import ASYNC_TO_SYNC, ASYNC_TO_SYNC_ONCE
from async_api.bridges.experiments.experiment import Experiment, SynchronousExperiment
from async_api.bridges.experiments.requests import REQUESTS
from async_api.bridges.experiments.threads import SYNC_TO_ASYNC
from async_api.bridges.question import Question

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        SYNC_TO_ASYNC,
        BLOCKING,
        ONE_BY_ONE,
        GATHER,
        SEMAPHORE,
        REQUESTS,
        ASYNC_TO_SYNC,
        ASYNC_TO_SYNC_ONCE,
        CHESS_ONE_BOARD_AT_A_TIME,
        CHESS_AROUND_THE_ROOM,
    )
}


@dataclass(frozen=True, slots=True)
class Ready:
    """An experiment with its numbers."""

    experiment: Experiment
    question: Question

    @property
    def query(self) -> dict[str, str]:
        """The parameters that this experiment has."""
        values = {
            "sleep_time": f"{self.question.sleep_seconds:g}",
            "num_calls": str(self.question.calls),
            "thread_sensitive": str(self.question.thread_sensitive).lower(),
            "at_once": str(self.question.at_once),
        }
        return {"experiment": self.experiment.name} | {
            name: values[name] for name in self.experiment.parameters
        }

    @property
    def action(self) -> str:
        return path_of(self.experiment)

    @property
    def path(self) -> str:
        return f"{self.action}?{urlencode(self.query)}"

    @property
    def title(self) -> str:
        if "thread_sensitive" not in self.experiment.parameters:
            return self.experiment.title
        words = (
            "thread-sensitive"
            if self.question.thread_sensitive
            else "not thread-sensitive"
        )
        return f"{self.experiment.title}, {words}"

    def counterpart(self) -> "Ready | None":
        """The same with one thing different, to see beside it."""
        name = self.experiment.counterpart
        if not name:
            return None
        sensitive = name == self.experiment.name and not self.question.thread_sensitive
        return Ready(
            EXPERIMENTS[name], replace(self.question, thread_sensitive=sensitive)
        )


def path_of(experiment: Experiment) -> str:
    """Where it runs: a synchronous one needs a synchronous view."""
    if isinstance(experiment, SynchronousExperiment):
        return reverse("async_to_sync_experiment")
    return reverse("sync_to_async")
