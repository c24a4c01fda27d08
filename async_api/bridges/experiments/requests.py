"""Several requests at once, which do not block one another."""

from asgiref.sync import sync_to_async

from async_api.bridges.executors import Kind
from async_api.bridges.experiments.calls import seconds_in_a_row, threads, times
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial


async def run_one_request(trial: Trial) -> None:
    sensitive = trial.parameters.thread_sensitive
    await sync_to_async(
        trial.block,
        thread_sensitive=sensitive,
        executor=None if sensitive else trial.pool,
    )()


def predict(parameters: Parameters, surroundings: Surroundings) -> Prediction:
    """The time until the last of the requests, which are sent together, is answered."""
    if not surroundings.handles_requests_concurrently:
        return Prediction(
            seconds_in_a_row(parameters),
            "This worker handles one request after the other: "
            f"{times(parameters.calls, parameters.sleep_seconds)}, or less where there are more workers.",
        )
    if parameters.thread_sensitive and surroundings.sensitive.kind is Kind.PROCESS:
        return Prediction(
            seconds_in_a_row(parameters),
            "Here requests have no thread of their own, as in Django before 4.0 and in its "
            f"AsyncClient, and share the process's: {times(parameters.calls, parameters.sleep_seconds)}.",
        )
    return Prediction(
        parameters.sleep_seconds,
        "Each request has threads of its own, since Django 4.0 for thread-sensitive calls "
        "too, so none waits for another: the time of one request.",
    )


REQUESTS = AsynchronousExperiment(
    name="requests",
    title="Several requests at once",
    shows="Thread-sensitive or not, requests do not block one another: each has a thread of its own, since Django 4.0.",
    parameter_names=("sleep_time", "num_calls", "thread_sensitive"),
    run=run_one_request,
    predict=predict,
    executor=threads,
    seconds_in_a_row=seconds_in_a_row,
    is_sent_by_page=True,
)
