"""async_to_sync in a synchronous view: once for each call, or once for all."""

import asyncio

from asgiref.sync import async_to_sync

from async_api.bridges.executors import Executor, Kind
from async_api.bridges.experiments.calls import seconds_in_a_row, times
from async_api.bridges.experiments.experiment import Prediction, SynchronousExperiment
from async_api.bridges.recording import Activity
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial


def cross_for_each_call(trial: Trial) -> None:
    for number in range(1, trial.parameters.calls + 1):
        with trial.recording.span(Activity.BLOCKING):
            async_to_sync(trial.sleep)(f"call {number}")


def cross_once(trial: Trial) -> None:
    async def gather() -> None:
        calls = range(1, trial.parameters.calls + 1)
        await asyncio.gather(*(trial.sleep(f"call {number}") for number in calls))

    with trial.recording.span(Activity.BLOCKING):
        async_to_sync(gather)()


def whose_loop(surroundings: Surroundings) -> str:
    if surroundings.gateway == "ASGI":
        return "on the server's own event loop"
    return "on an event loop created for the crossing"


def predict_for_each_call(
    parameters: Parameters, surroundings: Surroundings
) -> Prediction:
    return Prediction(
        seconds_in_a_row(parameters),
        f"The view's thread waits at each crossing while the coroutine runs {whose_loop(surroundings)}: "
        f"{times(parameters.calls, parameters.sleep_seconds)}.",
    )


def predict_once(parameters: Parameters, surroundings: Surroundings) -> Prediction:
    return Prediction(
        parameters.sleep_seconds,
        "The view's thread waits once, while all coroutines wait together "
        f"{whose_loop(surroundings)}: the time of one call.",
    )


def view(parameters: Parameters, surroundings: Surroundings) -> Executor:
    """The thread of the synchronous view, which waits for the event loop."""
    return Executor(Kind.CALLER, 1)


ASYNC_TO_SYNC = SynchronousExperiment(
    name="async_to_sync",
    title="async_to_sync for each call of a synchronous view",
    shows="The view's thread waits at every crossing. Under ASGI the coroutines run on the server's own event loop, under WSGI on a new one each time.",
    parameter_names=("sleep_time", "num_calls"),
    run=cross_for_each_call,
    predict=predict_for_each_call,
    executor=view,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="async_to_sync_once",
)
ASYNC_TO_SYNC_ONCE = SynchronousExperiment(
    name="async_to_sync_once",
    title="async_to_sync once, around asyncio.gather",
    shows="A synchronous view that crosses once for all its calls waits only as long as for one call.",
    parameter_names=("sleep_time", "num_calls"),
    run=cross_once,
    predict=predict_once,
    executor=view,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="async_to_sync",
)
