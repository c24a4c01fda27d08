"""Do several requests at once block one another?"""

from asgiref.sync import sync_to_async

from async_api.bridges.executors import Kind
from async_api.bridges.experiments.calls import seconds_in_a_row, threads, times
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.question import Question
from async_api.bridges.run import Run
from async_api.bridges.surroundings import Surroundings


async def run_one_request(run: Run) -> None:
    sensitive = run.question.thread_sensitive
    await sync_to_async(
        run.block,
        thread_sensitive=sensitive,
        executor=None if sensitive else run.pool,
    )()


def predict(question: Question, surroundings: Surroundings) -> Prediction:
    """When the last of the requests is answered that were sent at the same time."""
    if not surroundings.takes_requests_together:
        return Prediction(
            seconds_in_a_row(question),
            "This worker takes one request after the other, whatever they do: "
            f"{times(question.calls, question.sleep_seconds)}, or less where there are more workers.",
        )
    if question.thread_sensitive and surroundings.sensitive.kind is Kind.PROCESS:
        return Prediction(
            seconds_in_a_row(question),
            "Here requests have no thread of their own, as in Django before 4.0 and in its "
            f"AsyncClient, and share the process's: {times(question.calls, question.sleep_seconds)}.",
        )
    return Prediction(
        question.sleep_seconds,
        "Each request has threads of its own, since Django 4.0 for thread-sensitive calls "
        "too, so that none waits for another: as long as one takes.",
    )


REQUESTS = AsynchronousExperiment(
    name="requests",
    title="Several requests at once",
    shows="Thread-sensitive or not, requests do not block one another: each has a thread of its own, since Django 4.0.",
    parameters=("sleep_time", "num_calls", "thread_sensitive"),
    run=run_one_request,
    predict=predict,
    executor=threads,
    seconds_in_a_row=seconds_in_a_row,
    is_sent_by_page=True,
)
