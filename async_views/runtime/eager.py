"""When does a coroutine first have to wait? Until then it needs no task beside it."""

import types
from collections.abc import Callable, Coroutine, Generator
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
    try:
        awaited = coroutine.send(None)
    except StopIteration as done:
        return cast(Result, done.value)
    on_wait()
    while True:
        try:
            yield awaited
        except BaseException as error:
            try:
                awaited = coroutine.throw(error)
            except StopIteration as done:
                return cast(Result, done.value)
        else:
            result: Result = yield from coroutine
            return result
