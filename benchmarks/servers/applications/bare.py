"""A bare ASGI function, the smallest possible application."""

import json

from async_views.runtime.asgi.types import Receive, Scope, Send
from benchmarks.servers.applications.answers import HELLO, current_time


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/time":
        content_type, body = b"application/json", json.dumps(current_time()).encode()
    else:
        content_type, body = b"text/plain; charset=utf-8", HELLO.encode()
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
