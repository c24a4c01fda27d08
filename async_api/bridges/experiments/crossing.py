"""What does async_to_sync do to a synchronous view, and on which event loop?"""

import asyncio

from asgiref.sync import async_to_sync

from async_api.bridges.executors import Executor, Kind
from async_api.bridges.experiments.calls import seconds_in_a_row, times
from async_api.bridges.experiments.experiment import Prediction, SynchronousExperiment
from async_api.bridges.question import Question
from async_api.bridges.recording import Activity
from async_api.bridges.run import Run
from async_api.bridges.surroundings import Surroundings


def cross_for_each_call(run: Run) -> None:
    for number in range(1, run.question.calls + 1):
        with run.recording.span(Activity.BLOCKING):
            async_to_sync(run.sleep)(f"call {number}")


def cross_once(run: Run) -> None:
    async def gather() -> None:
        calls = range(1, run.question.calls + 1)
        await asyncio.gather(*(run.sleep(f"call {number}") for number in calls))

    with run.recording.span(Activity.BLOCKING):
        async_to_sync(gather)()


def whose_loop(surroundings: Surroundings) -> str:
    if surroundings.gateway == "ASGI":
        return "on the server's own event loop"
    return "on an event loop made for the crossing"


def predict_for_each_call(question: Question, surroundings: Surroundings) -> Prediction:
    return Prediction(
        seconds_in_a_row(question),
        f"The view's thread waits at each crossing while the coroutine runs {whose_loop(surroundings)}: "
        f"{times(question.calls, question.sleep_seconds)}.",
    )


def predict_once(question: Question, surroundings: Surroundings) -> Prediction:
    return Prediction(
        question.sleep_seconds,
        "The view's thread waits once, while all coroutines wait together "
        f"{whose_loop(surroundings)}: as long as one of them takes.",
    )


def view(question: Question, surroundings: Surroundings) -> Executor:
    """The synchronous view's thread, which waits for the event loop."""
    return Executor(Kind.CALLER, 1)


ASYNC_TO_SYNC = SynchronousExperiment(
    name="async_to_sync",
    title="async_to_sync for each call of a synchronous view",
    shows="The view's thread waits at every crossing. Under ASGI the coroutines run on the server's own event loop, under WSGI on a new one each time.",
    parameters=("sleep_time", "num_calls"),
    run=cross_for_each_call,
    predict=predict_for_each_call,
    executor=view,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="async_to_sync_once",
)
ASYNC_TO_SYNC_ONCE = SynchronousExperiment(
    name="async_to_sync_once",
    title="async_to_sync once, around asyncio.gather",
    shows="A synchronous view that crosses once for all its calls waits as long as for one.",
    parameters=("sleep_time", "num_calls"),
    run=cross_once,
    predict=predict_once,
    executor=view,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="async_to_sync",
)
