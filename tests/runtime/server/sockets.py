"""A WebSocket application that reports what it received when its sockets end."""

import asyncio
import os
import socket
from itertools import count

import psutil

from async_views.runtime.asgi.types import Receive, Scope, Send

KIBIBYTE = {"type": "websocket.send", "text": "x" * 1024}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("The lifespan ended.", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await conversations[scope["path"]](receive, send)


async def echo(receive: Receive, send: Send) -> None:
    """Sends back each message, text as text and bytes as bytes."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def flood(receive: Receive, send: Send) -> None:
    """Sends one KiB after another, whether or not it is read, until sending fails."""
    await receive()
    await send({"type": "websocket.accept"})
    flooding = asyncio.create_task(keep_sending(send))
    while (await receive())["type"] != "websocket.disconnect":
        pass
    await flooding
    print("The flood has ended.", flush=True)


async def keep_sending(send: Send) -> None:
    try:
        for number in count():
            try:
                async with asyncio.timeout(0.3):
                    await send(KIBIBYTE)
            except TimeoutError:
                print(f"Not read after {number} KiB.", flush=True)
                await send(KIBIBYTE)
            await asyncio.sleep(0)
    except OSError:
        pass


async def fill(receive: Receive, send: Send) -> None:
    """Sends the number of KiB that the client requests."""
    await receive()
    await send({"type": "websocket.accept"})
    message = await receive()
    for _ in range(int(message["text"])):
        await send(KIBIBYTE)
    print("Filled.", flush=True)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    print("The filled client has left.", flush=True)


async def leave(receive: Receive, send: Send) -> None:
    """Closes the socket in the regular way."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4000, "reason": "over"})


async def deny(receive: Receive, send: Send) -> None:
    await receive()
    headers = [(b"retry-after", b"7")]
    await send(
        {"type": "websocket.http.response.start", "status": 503, "headers": headers}
    )
    await send({"type": "websocket.http.response.body", "body": b"No."})


async def refuse(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close"})


async def hesitate(receive: Receive, send: Send) -> None:
    """Accepts the handshake only after the client has disconnected."""
    await receive()
    print("Hesitating.", flush=True)
    await receive()
    await send({"type": "websocket.accept"})


async def options(receive: Receive, send: Send) -> None:
    """Sends the TCP_USER_TIMEOUT of its connections, in milliseconds."""
    await receive()
    await send({"type": "websocket.accept"})
    milliseconds = set()
    for connection in psutil.Process().net_connections("tcp"):
        if connection.status == psutil.CONN_ESTABLISHED:
            with socket.socket(fileno=os.dup(connection.fd)) as own:
                option = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                milliseconds.add(option)
    await send({"type": "websocket.send", "text": f"{milliseconds}"})
    await send({"type": "websocket.close"})


conversations = {
    f"/{conversation.__name__}": conversation
    for conversation in (echo, flood, fill, leave, deny, refuse, hesitate, options)
}
