"""A minimal ASGI application that responds with the process ID of its worker.

Its startup fails if the file in the variable PLAIN_FAILS exists.
"""

import os
from pathlib import Path

from async_views.runtime.asgi.types import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        if Path(os.environ.get("PLAIN_FAILS", "/nowhere")).exists():
            await send({"type": "lifespan.startup.failed", "message": "It should."})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = str(os.getpid()).encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
