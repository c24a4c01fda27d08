"""Experiments run as predicted, and end when their request is cancelled."""

import asyncio
import threading
from dataclasses import replace

import pytest

from async_api.bridges.executors import Executor, Kind
from async_api.bridges.experiments.experiment import AsynchronousExperiment
from async_api.bridges.experiments.registry import DEFAULTS, EXPERIMENTS, Setup
from async_api.bridges.laboratory import Result, conduct
from async_api.bridges.recording import Activity
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters
from async_views.runtime.waiting.loop_lag import LoopLag
from tests.async_api.bridges.tolerance import is_as_predicted
from tests.support.site import PATIENCE

PARAMETERS = Parameters(sleep_seconds=0.3, calls=3, thread_sensitive=True, at_once=2)
POOL = 6
HERE = Surroundings("ASGI", Executor(Kind.PROCESS, 1), POOL, True)
ASYNCHRONOUS = [
    experiment
    for experiment in EXPERIMENTS.values()
    if isinstance(experiment, AsynchronousExperiment)
]


async def conducted(name: str, **changes: object) -> Result:
    experiment = EXPERIMENTS[name]
    assert isinstance(experiment, AsynchronousExperiment)
    parameters = replace(PARAMETERS, **changes)  # type: ignore[arg-type]
    return await conduct(Setup(experiment, parameters), experiment, HERE)


def experiment_threads() -> list[threading.Thread]:
    return [
        thread for thread in threading.enumerate() if thread.name.startswith("bridge-")
    ]


@pytest.mark.parametrize(
    ("name", "changes", "seconds"),
    [
        ("sync_to_async", {}, 0.9),
        ("sync_to_async", {"thread_sensitive": False}, 0.3),
        ("blocking", {}, 0.9),
        ("one_by_one", {}, 0.9),
        ("gather", {}, 0.3),
        ("semaphore", {}, 0.6),
        ("semaphore", {"at_once": 1}, 0.9),
        ("semaphore", {"at_once": 5}, 0.3),
        ("chess_one_board_at_a_time", {"sleep_seconds": 0.1}, 1.2),
        ("chess_around_the_room", {"sleep_seconds": 0.5}, 0.5076),
    ],
)
async def test_an_experiment_takes_as_long_as_predicted(
    name: str, changes: dict[str, object], seconds: float
) -> None:
    result = await conducted(name, **changes)

    assert result.prediction.seconds == pytest.approx(seconds, rel=1e-3)
    assert is_as_predicted(result.seconds, result.prediction.seconds)


async def test_more_calls_than_threads_run_in_rounds() -> None:
    result = await conducted("sync_to_async", thread_sensitive=False, calls=POOL + 1)

    assert result.prediction.seconds == pytest.approx(0.6)
    if (result.executor.size, len(result.threads)) == (POOL, POOL):
        assert is_as_predicted(result.seconds, 0.6)


async def test_a_thread_sensitive_run_uses_one_thread_and_takes_turns() -> None:
    result = await conducted("sync_to_async", sleep_seconds=0.02)

    first, second, third = result.spans
    assert len(result.threads) == 1
    assert first.end <= second.start
    assert second.end <= third.start


async def test_blocking_stops_an_event_loop_but_not_the_site_s() -> None:
    with LoopLag() as site_s:
        result = await conducted("blocking")

    assert result.lag is not None
    assert result.lag.worst > 700_000
    assert result.lag.stalls
    assert site_s.worst < 0.25


async def test_awaiting_leaves_the_event_loop_free() -> None:
    result = await conducted("gather")

    assert result.lag is not None
    assert result.lag.worst < 250_000


async def test_a_call_waits_for_the_semaphore() -> None:
    result = await conducted("semaphore", sleep_seconds=0.05)

    waits = [span for span in result.spans if span.activity is Activity.WAITING]
    assert len([span for span in waits if span.time > 40_000]) == 1


@pytest.mark.parametrize("name", ["chess_one_board_at_a_time", "chess_around_the_room"])
async def test_an_exhibition_has_all_moves_and_one_master(name: str) -> None:
    result = await conducted(name, sleep_seconds=0.05)

    moves = [span for span in result.spans if span.activity is Activity.MOVING]
    replies = [span for span in result.spans if span.activity is Activity.THINKING]
    assert len(moves) == len(replies) == 24 * 30
    assert len({span.lane for span in result.spans}) == 24
    ordered = sorted(moves, key=lambda span: span.end)
    assert all(
        one.end <= other.start for one, other in zip(ordered, ordered[1:], strict=False)
    )


@pytest.mark.parametrize("experiment", ASYNCHRONOUS, ids=lambda each: each.name)
@pytest.mark.parametrize("thread_sensitive", [True, False])
async def test_cancelling_the_request_ends_the_experiment(
    experiment: AsynchronousExperiment, thread_sensitive: bool
) -> None:
    parameters = replace(
        PARAMETERS, sleep_seconds=30, calls=10, thread_sensitive=thread_sensitive
    )
    began = asyncio.get_running_loop().time()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await conduct(Setup(experiment, parameters), experiment, HERE)

    for thread in experiment_threads():
        await asyncio.to_thread(thread.join, 5)
    assert experiment_threads() == []
    assert asyncio.get_running_loop().time() - began < 5 * PATIENCE


async def test_an_experiment_s_threads_end_with_it() -> None:
    await conducted("sync_to_async", thread_sensitive=False, sleep_seconds=0.01)

    for thread in experiment_threads():
        await asyncio.to_thread(thread.join, 5)
    assert experiment_threads() == []


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_compared_with_one_of_the_same_view(name: str) -> None:
    setup = Setup(EXPERIMENTS[name], DEFAULTS)

    other = setup.counterpart()

    if other is not None:
        assert type(other.experiment) is type(setup.experiment)
        assert (other.experiment, other.parameters) != (
            setup.experiment,
            setup.parameters,
        )
