"""An application that records its requests, and a client that sends raw bytes."""

import contextlib
import re
import socket
import time

from async_views.runtime.asgi.types import Receive, Scope, Send
from tests.support.servers import Served

PAUSE = 0.03


class Recorder:
    """Responds to each request with its path, and records the request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []

    def forget(self) -> None:
        self.asked.clear()
        self.headers.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            self.asked.append(("websocket " + scope["path"], b""))
            self.headers.append(list(scope["headers"]))
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        self.asked.append((f"{scope['method']} {scope['path']}", body))
        self.headers.append(list(scope["headers"]))
        answer = scope["path"].encode()
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def statuses(server: Served, *pieces: bytes) -> list[int]:
    """The statuses of all responses to the pieces, which are sent one by one."""
    return statuses_in(exchange(server, *pieces))


def statuses_in(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def exchange(server: Served, *pieces: bytes) -> bytes:
    with socket.create_connection((server.host, server.port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                client.sendall(piece)
                if len(pieces) > 1:
                    time.sleep(PAUSE)
        return b"".join(iter(lambda: client.recv(65536), b""))
