"""Measures how the time of a computation grows with its input."""

import time
from collections.abc import Callable
from typing import TypeVar

Input = TypeVar("Input")

ROUNDS = 5
FACTOR = 20
# For FACTOR times the input, linear work takes FACTOR times as long, or a few times that if
# the larger input does not fit the processor's caches. Quadratic work takes 400 times as long.
MAX_FACTOR = 100
# Shorter times cannot be measured precisely.
MIN_SECONDS = 0.0002


def least_seconds(work: Callable[[], object]) -> float:
    """The least CPU time of this thread, which other load on the machine hardly affects."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        rounds.append(time.thread_time() - began)
    return min(rounds)


def assert_grows_no_faster_than_its_input(
    make: Callable[[int], Input], work: Callable[[Input], object], size: int
) -> None:
    """`make` returns an input of about that many bytes; `size` is that of the larger input."""
    small, large = make(size // FACTOR), make(size)
    seconds = least_seconds(lambda: work(small))
    assert least_seconds(lambda: work(large)) < MAX_FACTOR * max(seconds, MIN_SECONDS)
