"""What do one await after the other, asyncio.gather and a semaphore make of coroutines?"""

import asyncio

from async_api.bridges.experiments.calls import (
    event_loop,
    seconds_in_a_row,
    seconds_in_rounds,
    times,
)
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.question import Question
from async_api.bridges.recording import Activity
from async_api.bridges.run import Run
from async_api.bridges.surroundings import Surroundings


async def await_one_by_one(run: Run) -> None:
    for number in range(1, run.question.calls + 1):
        await run.sleep(f"call {number}")


def predict_one_by_one(question: Question, surroundings: Surroundings) -> Prediction:
    return Prediction(
        seconds_in_a_row(question),
        "Each await ends before the next call begins, though no thread is busy: "
        f"{times(question.calls, question.sleep_seconds)}.",
    )


async def gather(run: Run) -> None:
    calls = range(1, run.question.calls + 1)
    await asyncio.gather(*(run.sleep(f"call {number}") for number in calls))


def predict_gather(question: Question, surroundings: Surroundings) -> Prediction:
    return Prediction(
        question.sleep_seconds,
        "All calls begin at once and wait together, on one thread: as long as one of them takes.",
    )


async def pass_a_semaphore(run: Run) -> None:
    places = asyncio.Semaphore(run.question.at_once)

    async def call(lane: str) -> None:
        with run.recording.span(Activity.WAITING, lane):
            await places.acquire()
        try:
            await run.sleep(lane)
        finally:
            places.release()

    calls = range(1, run.question.calls + 1)
    await asyncio.gather(*(call(f"call {number}") for number in calls))


def predict_semaphore(question: Question, surroundings: Surroundings) -> Prediction:
    rounds = -(-question.calls // question.at_once)
    return Prediction(
        seconds_in_rounds(question, question.at_once),
        f"The semaphore lets {question.at_once} in, and the next one whenever one leaves: "
        f"{times(rounds, question.sleep_seconds)}.",
    )


ONE_BY_ONE = AsynchronousExperiment(
    name="one_by_one",
    title="Coroutines awaited one by one",
    shows="Asynchronous code that awaits one call after the other is as slow as synchronous code.",
    parameters=("sleep_time", "num_calls"),
    run=await_one_by_one,
    predict=predict_one_by_one,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="gather",
)
GATHER = AsynchronousExperiment(
    name="gather",
    title="Coroutines awaited together",
    shows="The same calls in asyncio.gather wait at the same time, without another thread.",
    parameters=("sleep_time", "num_calls"),
    run=gather,
    predict=predict_gather,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="one_by_one",
)
SEMAPHORE = AsynchronousExperiment(
    name="semaphore",
    title="Coroutines through a semaphore",
    shows="A semaphore bounds how many wait at the same time: what spares whoever is called.",
    parameters=("sleep_time", "num_calls", "at_once"),
    run=pass_a_semaphore,
    predict=predict_semaphore,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="gather",
)
