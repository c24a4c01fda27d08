"""Separate processes and cores for the two sides of a benchmark."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class TooFewCores(Exception):
    """The machine has one core, on which client and server would slow each other down."""


def take_one_core() -> int:
    """Pins this process and its children to one core, and returns another, free core.

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
    """Pins the processes started within the block to that core."""
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
    """Calls a module-level function in a new process, and returns its result."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **options).result()
