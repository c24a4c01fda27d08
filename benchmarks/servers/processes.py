"""Where does each side of a benchmark run? Each in a process and on a core of its own."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class TooFewCores(Exception):
    """On one core, each side would measure how often the other lets it run."""


def take_one_core() -> int:
    """Keeps this process and its children on one core, and returns another one, free.

    Raises TooFewCores.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise TooFewCores(
            "The benchmarks need two cores: one for the target, one for its client."
        )
    own, free = cores[-1], cores[0]
    os.sched_setaffinity(0, {own})
    return free


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes started within the block stay on that core."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def in_fresh_process(
    function: Callable[Arguments, Answer],
    *arguments: Arguments.args,
    **options: Arguments.kwargs,
) -> Answer:
    """Calls a module's function where nothing has run before, and nothing else does."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **options).result()
