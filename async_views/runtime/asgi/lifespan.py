"""What does a worker hold open from its start to its end?"""

import logging
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from async_views.runtime.asgi.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

Resource = AbstractAsyncContextManager[object]
State = MutableMapping[str, Any]


class Lifespan:
    """Opens the worker's resources in order, and closes them in reverse.

    What a resource yields is found by requests under its name in ``scope["state"]``, and
    by the resources after it in the state that each is called with.
    Where one cannot be opened, those before it are closed and the server is told
    that the start failed: under ``lifespan="on"`` it exits rather than serve half.
    """

    def __init__(self, resources: Mapping[str, Callable[[State], Resource]]) -> None:
        self.resources = dict(resources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        opened: dict[str, Resource] = {}
        try:
            failed_start = await self.open(opened, scope["state"])
            if failed_start is None:
                await send({"type": "lifespan.startup.complete"})
                await receive()
        finally:
            # Also when the server cancels this task because it is made to stop now.
            failed_closes = await close(opened)
        if failed_start is not None:
            # Said only now: on hearing it the server ends, and nothing more closes.
            await send({"type": "lifespan.startup.failed", "message": failed_start})
        elif failed_closes:
            message = " ".join(failed_closes)
            await send({"type": "lifespan.shutdown.failed", "message": message})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def open(self, opened: dict[str, Resource], state: State) -> str | None:
        """Opens the resources up to the first that fails, and says which did."""
        for name, resource in self.resources.items():
            try:
                manager = resource(state)
                state[name] = await manager.__aenter__()
            except Exception as error:
                return failure(name, "open", error)
            opened[name] = manager
        return None


async def close(opened: dict[str, Resource]) -> list[str]:
    """Closes each, last opened first, and says which failed: one keeps none open."""
    failures = []
    for name, manager in reversed(list(opened.items())):
        try:
            await manager.__aexit__(None, None, None)
        except Exception as error:
            failures.append(failure(name, "close", error))
    return failures


def failure(name: str, action: str, error: Exception) -> str:
    """Says the error in one sentence."""
    # A driver's message can run over several lines; a log's line is one.
    reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":.")
    sentence = f"The resource {name!r} did not {action}: {reason}."
    # The server logs the sentence; where in the code it came from is for developers.
    logger.debug(sentence, exc_info=error)
    return sentence
