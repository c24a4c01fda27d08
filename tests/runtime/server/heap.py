"""Applications that report what the garbage collector finds in their process."""

import gc

from async_views.runtime.asgi.types import Receive, Scope, Send


async def frozen(scope: Scope, receive: Receive, send: Send) -> None:
    """Responds with the number of objects that the collector ignores."""
    if scope["type"] == "lifespan":
        await stay(receive, send)
    else:
        await say(gc.get_freeze_count(), send)


async def garbage(scope: Scope, receive: Receive, send: Send) -> None:
    """Responds with the number of objects that earlier requests and sockets left to it."""
    gc.disable()
    if scope["type"] == "lifespan":
        await stay(receive, send)
    elif scope["type"] == "websocket":
        await listen(receive, send)
    else:
        await say(gc.collect(), send)


async def stay(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def listen(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": "heard"})


async def say(number: int, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % number})
