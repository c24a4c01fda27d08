"""asyncio.gather with blocking calls in sync_to_async."""

import asyncio

from asgiref.sync import sync_to_async

from async_api.bridges.experiments.calls import (
    seconds_in_a_row,
    seconds_in_rounds,
    threads,
    times,
)
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial


async def run(trial: Trial) -> None:
    sensitive = trial.parameters.thread_sensitive
    call = sync_to_async(
        trial.block,
        thread_sensitive=sensitive,
        executor=None if sensitive else trial.pool,
    )
    await asyncio.gather(*(call() for _ in range(trial.parameters.calls)))


def predict(parameters: Parameters, surroundings: Surroundings) -> Prediction:
    if parameters.thread_sensitive:
        return Prediction(
            seconds_in_a_row(parameters),
            "Thread-sensitive calls of one request share one thread, here "
            f"{surroundings.sensitive.label}, and take turns on it: "
            f"{times(parameters.calls, parameters.sleep_seconds)}.",
        )
    size = surroundings.pool_size
    return Prediction(
        seconds_in_rounds(parameters, size),
        f"A pool of {size} threads, four more than there are cores, runs {size} calls at "
        "once, and the next ones when those are done: "
        f"{times(-(-parameters.calls // size), parameters.sleep_seconds)}.",
    )


SYNC_TO_ASYNC = AsynchronousExperiment(
    name="sync_to_async",
    title="Blocking calls in sync_to_async",
    shows="Thread-sensitive calls of one request take turns on one thread; others run at the same time on several threads.",
    parameter_names=("sleep_time", "num_calls", "thread_sensitive"),
    run=run,
    predict=predict,
    executor=threads,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="sync_to_async",
)
