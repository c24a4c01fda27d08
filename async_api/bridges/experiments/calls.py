"""What is the same in all experiments that make some calls?"""

import math

from async_api.bridges.executors import Executor, Kind
from async_api.bridges.question import Question
from async_api.bridges.surroundings import Surroundings


def seconds_in_a_row(question: Question) -> float:
    return question.calls * question.sleep_seconds


def seconds_in_rounds(question: Question, at_once: int) -> float:
    return math.ceil(question.calls / at_once) * question.sleep_seconds


def event_loop(question: Question, surroundings: Surroundings) -> Executor:
    """One thread, on which all coroutines take turns."""
    return Executor(Kind.EVENT_LOOP, 1)


def threads(question: Question, surroundings: Surroundings) -> Executor:
    """Where sync_to_async runs the calls."""
    if question.thread_sensitive:
        return surroundings.sensitive
    return Executor(Kind.POOL, surroundings.pool_size)


def times(count: int, seconds: float) -> str:
    """Such as "3 × 0.2 s"."""
    return f"{count} × {seconds:g} s"
