"""Running a coroutine up to its first suspension, before a task is needed beside it."""

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar, cast

Result = TypeVar("Result")


@types.coroutine
def noticing_the_first_wait(
    coroutine: Coroutine[Any, Any, Result], on_wait: Callable[[], object]
) -> Generator[Any, Any, Result]:
    """Awaits the coroutine, and calls `on_wait` when it first suspends.

    A coroutine that ends without suspending does not call it. Futures and results pass
    unchanged between the coroutine and the event loop.
    """
    steps = coroutine.__await__()
    try:
        awaited = next(steps)
    except StopIteration as done:
        return cast(Result, done.value)
    on_wait()
    result: Result = yield from resumed(steps, awaited)
    return result


def begun(work: Awaitable[None]) -> Awaitable[None] | None:
    """Runs `work` until it first suspends; returns the rest, to be awaited by one task.

    Returns None if it ended before. An exception that it raises until then is raised here.
    """
    steps = work.__await__()
    try:
        awaited = next(steps)
    except StopIteration:
        return None
    return resumed(steps, awaited)


@types.coroutine
def resumed(
    steps: Generator[Any, Any, Result], awaited: object
) -> Generator[Any, Any, Result]:
    """The rest of a coroutine that waits for `awaited`."""
    while True:
        try:
            yield awaited
        except BaseException as error:
            try:
                awaited = steps.throw(error)
            except StopIteration as done:
                return cast(Result, done.value)
        else:
            result: Result = yield from steps
            return result
