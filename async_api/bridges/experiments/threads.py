"""What does asyncio.gather make of blocking calls behind sync_to_async?"""

import asyncio

from asgiref.sync import sync_to_async

from async_api.bridges.experiments.calls import (
    seconds_in_a_row,
    seconds_in_rounds,
    threads,
    times,
)
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.question import Question
from async_api.bridges.run import Run
from async_api.bridges.surroundings import Surroundings


async def run(run: Run) -> None:
    sensitive = run.question.thread_sensitive
    call = sync_to_async(
        run.block,
        thread_sensitive=sensitive,
        executor=None if sensitive else run.pool,
    )
    await asyncio.gather(*(call() for _ in range(run.question.calls)))


def predict(question: Question, surroundings: Surroundings) -> Prediction:
    if question.thread_sensitive:
        return Prediction(
            seconds_in_a_row(question),
            "Thread-sensitive calls of one request share one thread, here "
            f"{surroundings.sensitive.label}, and take turns on it: "
            f"{times(question.calls, question.sleep_seconds)}.",
        )
    size = surroundings.pool_size
    return Prediction(
        seconds_in_rounds(question, size),
        f"A pool of {size} threads, four more than there are cores, runs {size} calls at "
        "once, and the next ones when these are done: "
        f"{times(-(-question.calls // size), question.sleep_seconds)}.",
    )


SYNC_TO_ASYNC = AsynchronousExperiment(
    name="sync_to_async",
    title="Blocking calls behind sync_to_async",
    shows="Thread-sensitive calls of one request take turns on one thread; others run at the same time on several.",
    parameters=("sleep_time", "num_calls", "thread_sensitive"),
    run=run,
    predict=predict,
    executor=threads,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="sync_to_async",
)
