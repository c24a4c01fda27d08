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


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this thread, which other load on the machine hardly affects."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def assert_grows_no_faster_than_its_input(
    make: Callable[[int], Input], work: Callable[[Input], object], size: int
) -> None:
    """`make` returns an input of about that many bytes; `size` is that of the larger input."""
    small, large = make(size // FACTOR), make(size)
    seconds = min(cpu_seconds(lambda: work(small)) for _ in range(ROUNDS))
    limit = MAX_FACTOR * max(seconds, MIN_SECONDS)
    # One round of the larger input below the limit is enough, and usually the first one is.
    assert any(cpu_seconds(lambda: work(large)) < limit for _ in range(ROUNDS))
