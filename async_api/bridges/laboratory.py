"""Runs experiments, measures them, and ends them when they are cancelled."""

import asyncio
from dataclasses import dataclass

from async_api.bridges.executors import Executor
from async_api.bridges.experiments.experiment import (
    AsynchronousExperiment,
    Prediction,
    SynchronousExperiment,
)
from async_api.bridges.experiments.registry import Setup
from async_api.bridges.recording import Recording, Span
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Trial
from async_views.runtime.waiting.loop_lag import LoopLag


@dataclass(frozen=True, slots=True)
class Stall:
    """When a timer was due and when it ran, in microseconds since the trial began."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lag:
    """The lag of the event loop that the experiment ran on."""

    worst: int  # microseconds
    stalls: tuple[Stall, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A finished trial: its setup, prediction and measurements."""

    setup: Setup
    prediction: Prediction
    executor: Executor
    wall_time: int  # microseconds
    spans: tuple[Span, ...]
    event_loops: tuple[str, ...]
    lag: Lag | None  # None in a synchronous view, which has no event loop

    @property
    def id(self) -> str:
        """Unique among the results on a page."""
        sensitive = "sensitive" if self.setup.parameters.thread_sensitive else "other"
        return f"{self.setup.experiment.name}-{sensitive}"

    @property
    def seconds(self) -> float:
        return self.wall_time / 1_000_000

    @property
    def threads(self) -> tuple[str, ...]:
        """The threads that the experiment used, in the order of their first use."""
        return tuple(dict.fromkeys(span.thread for span in self.spans))


async def conduct(
    setup: Setup, experiment: AsynchronousExperiment, surroundings: Surroundings
) -> Result:
    """Runs an experiment. Cancelling it ends the experiment and its sleeping threads."""
    trial = Trial(setup.parameters)

    async def watched() -> LoopLag:
        with LoopLag() as measured:
            await experiment.run(trial)
        return measured

    with trial.ending():
        if experiment.needs_own_loop:
            measured = await asyncio.get_running_loop().run_in_executor(
                trial.pool, lambda: asyncio.run(watched())
            )
        else:
            trial.note_event_loop()
            measured = await watched()
        wall_time = trial.recording.now()
    lag = lag_of(measured, trial.recording)
    return result(setup, trial, wall_time, surroundings, lag)


def lag_of(measured: LoopLag, recording: Recording) -> Lag:
    return Lag(
        round(measured.worst * 1_000_000),
        tuple(
            Stall(recording.at(due), recording.at(called))
            for due, called in measured.stalls
        ),
    )


def conduct_synchronously(
    setup: Setup, experiment: SynchronousExperiment, surroundings: Surroundings
) -> Result:
    trial = Trial(setup.parameters)
    with trial.ending():
        experiment.run(trial)
        wall_time = trial.recording.now()
    return result(setup, trial, wall_time, surroundings, None)


def result(
    setup: Setup,
    trial: Trial,
    wall_time: int,
    surroundings: Surroundings,
    lag: Lag | None,
) -> Result:
    experiment, parameters = setup.experiment, setup.parameters
    return Result(
        setup,
        experiment.predict(parameters, surroundings),
        experiment.executor(parameters, surroundings),
        wall_time,
        trial.recording.spans(),
        tuple(trial.event_loops),
        lag,
    )
