"""When does a coroutine first have to wait? Until then it needs no task beside it."""

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar, cast

Result = TypeVar("Result")


@types.coroutine
def noticing_the_first_wait(
    coroutine: Coroutine[Any, Any, Result], on_wait: Callable[[], object]
) -> Generator[Any, Any, Result]:
    """Await it as the coroutine itself; `on_wait` is called when it first suspends.

    Never, where it ends without. What it waits for is passed on to the event loop as
    it came, and so is what the loop answers.
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
    """Runs it up to where it first has to wait; returns what is left, for one task.

    None, where it ended without; and what it raised until then is raised here.
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
    """The rest of what has said what it waits for."""
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
