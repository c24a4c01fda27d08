"""The site, and at /imported the names of the modules that its worker has imported."""

import sys

from async_views.asgi import application as site
from async_views.runtime.asgi.types import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope.get("path") != "/imported":
        await site(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = "\n".join(sys.modules).encode()
    await send({"type": "http.response.body", "body": body})
