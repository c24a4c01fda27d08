"""An ASGI application that says which worker it is in, and starts in no time.

It does not start where the file is that PLAIN_FAILS names.
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
