"""How much of this process does the garbage collector leave alone? An application that says so."""

import gc

from async_views.runtime.asgi_types import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    count = b"%d" % gc.get_freeze_count()
    await send({"type": "http.response.body", "body": count})
