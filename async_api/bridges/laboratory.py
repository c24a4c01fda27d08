"""How is an experiment conducted, measured, and ended when nobody waits for it?"""

import asyncio
from dataclasses import dataclass

from async_api.bridges.executors import Executor
from async_api.bridges.experiments.experiment import (
    AsynchronousExperiment,
    Prediction,
    SynchronousExperiment,
)
from async_api.bridges.experiments.registry import Ready
from async_api.bridges.recording import Recording, Span
from async_api.bridges.run import Run
from async_api.bridges.surroundings import Surroundings
from async_views.runtime.waiting.loop_lag import LoopLag


@dataclass(frozen=True, slots=True)
class Stall:
    """When the loop should have answered, and when it did; microseconds of the run."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How late the event loop was that the experiment ran on."""

    worst: int  # microseconds
    stalls: tuple[Stall, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What one run was, what it should have taken, and what it did."""

    ready: Ready
    prediction: Prediction
    executor: Executor
    wall_time: int  # microseconds
    spans: tuple[Span, ...]
    event_loops: tuple[str, ...]
    lag: Lag | None  # None in a synchronous view, which has no event loop

    @property
    def id(self) -> str:
        """Tells it from the one it is compared with, on their page."""
        sensitive = "sensitive" if self.ready.question.thread_sensitive else "other"
        return f"{self.ready.experiment.name}-{sensitive}"

    @property
    def seconds(self) -> float:
        return self.wall_time / 1_000_000

    @property
    def threads(self) -> tuple[str, ...]:
        """Those that the experiment used, in the order it did."""
        return tuple(dict.fromkeys(span.thread for span in self.spans))


async def conduct(
    ready: Ready, experiment: AsynchronousExperiment, surroundings: Surroundings
) -> Result:
    """Cancelling it ends the experiment, its sleeping threads included."""
    run = Run(ready.question)

    async def watched() -> LoopLag:
        with LoopLag() as measured:
            await experiment.run(run)
        return measured

    with run.ending():
        if experiment.needs_own_loop:
            measured = await asyncio.get_running_loop().run_in_executor(
                run.pool, lambda: asyncio.run(watched())
            )
        else:
            run.note_event_loop()
            measured = await watched()
        wall_time = run.recording.now()
    lag = lag_of(measured, run.recording)
    return result(ready, run, wall_time, surroundings, lag)


def lag_of(measured: LoopLag, recording: Recording) -> Lag:
    return Lag(
        round(measured.worst * 1_000_000),
        tuple(
            Stall(recording.at(due), recording.at(called))
            for due, called in measured.stalls
        ),
    )


def conduct_synchronously(
    ready: Ready, experiment: SynchronousExperiment, surroundings: Surroundings
) -> Result:
    run = Run(ready.question)
    with run.ending():
        experiment.run(run)
        wall_time = run.recording.now()
    return result(ready, run, wall_time, surroundings, None)


def result(
    ready: Ready,
    run: Run,
    wall_time: int,
    surroundings: Surroundings,
    lag: Lag | None,
) -> Result:
    experiment, question = ready.experiment, ready.question
    return Result(
        ready,
        experiment.predict(question, surroundings),
        experiment.executor(question, surroundings),
        wall_time,
        run.recording.spans(),
        tuple(run.event_loops),
        lag,
    )
