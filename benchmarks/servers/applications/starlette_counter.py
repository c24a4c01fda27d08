"""The book's counter of users online (listing 9.9).

It keeps a list of sockets in one process, and starts a task per socket at each change.
"""

import asyncio
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket


class UserCounter(WebSocketEndpoint):
    encoding = "text"
    sockets: ClassVar[list[WebSocket]] = []

    async def on_connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.sockets.append(websocket)
        await self.send_count()

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        self.sockets.remove(websocket)
        await self.send_count()

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        """Ignores messages from clients."""

    async def send_count(self) -> None:
        if not self.sockets:
            return
        count = str(len(self.sockets))
        sending = {
            asyncio.create_task(socket.send_text(count)): socket
            for socket in self.sockets
        }
        done, _ = await asyncio.wait(sending)
        for task in done:
            if task.exception() is not None and sending[task] in self.sockets:
                self.sockets.remove(sending[task])


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello")


application = Starlette(
    routes=[Route("/hello", hello), WebSocketRoute("/counter", UserCounter)]
)
