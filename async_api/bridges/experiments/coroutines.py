"""Coroutines awaited one by one, with asyncio.gather and with a semaphore."""

import asyncio

from async_api.bridges.experiments.calls import (
    event_loop,
    seconds_in_a_row,
    seconds_in_rounds,
    times,
)
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.recording import Activity
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial


async def await_one_by_one(trial: Trial) -> None:
    for number in range(1, trial.parameters.calls + 1):
        await trial.sleep(f"call {number}")


def predict_one_by_one(
    parameters: Parameters, surroundings: Surroundings
) -> Prediction:
    return Prediction(
        seconds_in_a_row(parameters),
        "Each await ends before the next call begins, though no thread is busy: "
        f"{times(parameters.calls, parameters.sleep_seconds)}.",
    )


async def gather(trial: Trial) -> None:
    calls = range(1, trial.parameters.calls + 1)
    await asyncio.gather(*(trial.sleep(f"call {number}") for number in calls))


def predict_gather(parameters: Parameters, surroundings: Surroundings) -> Prediction:
    return Prediction(
        parameters.sleep_seconds,
        "All calls begin at once and wait together, on one thread: the time of one call.",
    )


async def pass_a_semaphore(trial: Trial) -> None:
    semaphore = asyncio.Semaphore(trial.parameters.at_once)

    async def call(lane: str) -> None:
        with trial.recording.span(Activity.WAITING, lane):
            await semaphore.acquire()
        try:
            await trial.sleep(lane)
        finally:
            semaphore.release()

    calls = range(1, trial.parameters.calls + 1)
    await asyncio.gather(*(call(f"call {number}") for number in calls))


def predict_semaphore(parameters: Parameters, surroundings: Surroundings) -> Prediction:
    rounds = -(-parameters.calls // parameters.at_once)
    return Prediction(
        seconds_in_rounds(parameters, parameters.at_once),
        f"The semaphore lets {parameters.at_once} calls in, and another whenever one leaves: "
        f"{times(rounds, parameters.sleep_seconds)}.",
    )


ONE_BY_ONE = AsynchronousExperiment(
    name="one_by_one",
    title="Coroutines awaited one by one",
    shows="Asynchronous code that awaits one call after the other is as slow as synchronous code.",
    parameter_names=("sleep_time", "num_calls"),
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
    parameter_names=("sleep_time", "num_calls"),
    run=gather,
    predict=predict_gather,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="one_by_one",
)
SEMAPHORE = AsynchronousExperiment(
    name="semaphore",
    title="Coroutines through a semaphore",
    shows="A semaphore limits how many calls wait at the same time, which protects the service that is called.",
    parameter_names=("sleep_time", "num_calls", "at_once"),
    run=pass_a_semaphore,
    predict=predict_semaphore,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="gather",
)
