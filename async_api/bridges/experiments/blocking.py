"""Blocking calls on an event loop, which stop it."""

import asyncio

from async_api.bridges.experiments.calls import event_loop, seconds_in_a_row, times
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial


async def block_in_the_view(trial: Trial) -> None:
    async def call() -> None:
        trial.block()

    trial.note_event_loop()
    # Lets the lag meter start its timer before the loop is blocked.
    await asyncio.sleep(0)
    await asyncio.gather(*(call() for _ in range(trial.parameters.calls)))


def predict(parameters: Parameters, surroundings: Surroundings) -> Prediction:
    return Prediction(
        seconds_in_a_row(parameters),
        "Nothing is awaited while a call blocks, so gather has no effect, and the loop "
        f"answers no other request for {times(parameters.calls, parameters.sleep_seconds)}.",
    )


BLOCKING = AsynchronousExperiment(
    name="blocking",
    title="Blocking calls directly in the asynchronous view",
    shows="The event loop is blocked, and every other request of the worker would wait. So this experiment has an event loop and a thread of its own.",
    parameter_names=("sleep_time", "num_calls"),
    run=block_in_the_view,
    predict=predict,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="sync_to_async",
    needs_own_loop=True,
)
