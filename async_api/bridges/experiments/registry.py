"""All experiments, their default parameters, and the examples that pages offer."""

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
from async_api.bridges.trial import Parameters

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
DEFAULTS = Parameters(
    sleep_seconds=0.5,
    calls=4,
    thread_sensitive=True,
    at_once=2,
)


@dataclass(frozen=True, slots=True)
class Setup:
    """An experiment with its parameters, ready to run."""

    experiment: Experiment
    parameters: Parameters

    @property
    def query(self) -> dict[str, str]:
        """The query string's parameters for this experiment."""
        values = {
            "sleep_time": f"{self.parameters.sleep_seconds:g}",
            "num_calls": str(self.parameters.calls),
            "thread_sensitive": str(self.parameters.thread_sensitive).lower(),
            "at_once": str(self.parameters.at_once),
        }
        return {"experiment": self.experiment.name} | {
            name: values[name] for name in self.experiment.parameter_names
        }

    @property
    def action(self) -> str:
        return path_of(self.experiment)

    @property
    def path(self) -> str:
        return f"{self.action}?{urlencode(self.query)}"

    @property
    def title(self) -> str:
        if "thread_sensitive" not in self.experiment.parameter_names:
            return self.experiment.title
        words = (
            "thread-sensitive"
            if self.parameters.thread_sensitive
            else "not thread-sensitive"
        )
        return f"{self.experiment.title}, {words}"

    def counterpart(self) -> "Setup | None":
        """The setup to compare this one with; it differs in one thing."""
        name = self.experiment.counterpart
        if not name:
            return None
        sensitive = (
            name == self.experiment.name and not self.parameters.thread_sensitive
        )
        return Setup(
            EXPERIMENTS[name], replace(self.parameters, thread_sensitive=sensitive)
        )


def examples() -> list[Setup]:
    """Each experiment with its default parameters, and with both kinds of threads."""
    return [
        Setup(experiment, parameters)
        for experiment in EXPERIMENTS.values()
        for parameters in (DEFAULTS, replace(DEFAULTS, thread_sensitive=False))
        if parameters is DEFAULTS or "thread_sensitive" in experiment.parameter_names
    ]


def path_of(experiment: Experiment) -> str:
    """The URL path of the view that runs it; a synchronous one needs a synchronous view."""
    if isinstance(experiment, SynchronousExperiment):
        return reverse("async_to_sync_experiment")
    return reverse("sync_to_async")
