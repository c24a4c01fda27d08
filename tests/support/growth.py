"""How the time of a computation grows with its input, measured and compared."""

import time
from collections.abc import Callable
from typing import TypeVar

Input = TypeVar("Input")

ROUNDS = 5
FACTOR = 20
# For FACTOR times the input, linear work takes FACTOR times as long, or a few times that
# where the larger input no longer fits the processor's caches; quadratic work 400 times.
MOST = 100
# Below that, a clock says little.
LEAST_SECONDS = 0.0002


def least_seconds(work: Callable[[], object]) -> float:
    """CPU time of this thread, so that what else the machine does counts little."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        rounds.append(time.thread_time() - began)
    return min(rounds)


def assert_grows_no_faster_than_its_input(
    make: Callable[[int], Input], work: Callable[[Input], object], size: int
) -> None:
    """`make` gives an input of about so many bytes; `size` is the larger of two."""
    small, large = make(size // FACTOR), make(size)
    seconds = least_seconds(lambda: work(small))
    assert least_seconds(lambda: work(large)) < MOST * max(seconds, LEAST_SECONDS)
