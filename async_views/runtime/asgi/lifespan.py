"""The resources that a worker keeps open from start to shutdown."""

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

    Requests find what a resource yields under its name in ``scope["state"]``. Resources
    further down the table find it in the state that they are called with.
    If a resource cannot be opened, those before it are closed and the server is told
    that the start failed; with ``lifespan="on"`` it exits.
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
            # Also if the server cancels this task because it has to stop at once.
            failed_closes = await close(opened)
        if failed_start is not None:
            # Sent only now: on receiving it the server exits, and nothing more is closed.
            await send({"type": "lifespan.startup.failed", "message": failed_start})
        elif failed_closes:
            message = " ".join(failed_closes)
            await send({"type": "lifespan.shutdown.failed", "message": message})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def open(self, opened: dict[str, Resource], state: State) -> str | None:
        """Opens the resources up to the first that fails; returns a sentence about it."""
        for name, resource in self.resources.items():
            try:
                manager = resource(state)
                state[name] = await manager.__aenter__()
            except Exception as error:
                return failure(name, "open", error)
            opened[name] = manager
        return None


async def close(opened: dict[str, Resource]) -> list[str]:
    """Closes all, last opened first; returns a sentence for each that failed."""
    failures = []
    for name, manager in reversed(list(opened.items())):
        try:
            await manager.__aexit__(None, None, None)
        except Exception as error:
            failures.append(failure(name, "close", error))
    return failures


def failure(name: str, action: str, error: Exception) -> str:
    """The error in one sentence."""
    # A driver's message may have several lines.
    reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":.")
    sentence = f"The resource {name!r} did not {action}: {reason}."
    # The server logs the sentence; the traceback is for developers.
    logger.debug(sentence, exc_info=error)
    return sentence
