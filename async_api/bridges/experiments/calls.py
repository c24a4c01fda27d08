"""What experiments with a number of calls have in common."""

import math

from async_api.bridges.executors import Executor, Kind
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters


def seconds_in_a_row(parameters: Parameters) -> float:
    return parameters.calls * parameters.sleep_seconds


def seconds_in_rounds(parameters: Parameters, at_once: int) -> float:
    return math.ceil(parameters.calls / at_once) * parameters.sleep_seconds


def event_loop(parameters: Parameters, surroundings: Surroundings) -> Executor:
    """The one thread on which all coroutines take turns."""
    return Executor(Kind.EVENT_LOOP, 1)


def threads(parameters: Parameters, surroundings: Surroundings) -> Executor:
    """Where sync_to_async runs the calls."""
    if parameters.thread_sensitive:
        return surroundings.sensitive
    return Executor(Kind.POOL, surroundings.pool_size)


def times(count: int, seconds: float) -> str:
    """Such as "3 × 0.2 s"."""
    return f"{count} × {seconds:g} s"
