"""Each connection reaches the application for it."""

import json
import urllib.request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from async_views.runtime.asgi.routing import ProtocolRouter, WebSocketRoutes
from async_views.runtime.asgi.types import Application, Message, Receive, Scope, Send
from tests.support.servers import Served, serve_asgi


async def greet_over_http(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": scope["state"]["greeting"]})


async def greet_over_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "Welcome."})
    await send({"type": "websocket.close"})


async def keep_a_greeting(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    scope["state"]["greeting"] = b"Hello."
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def without_denial_responses(application: Application) -> Application:
    async def reduced(scope: Scope, receive: Receive, send: Send) -> None:
        await application(scope | {"extensions": {}}, receive, send)

    return reduced


async def refusal(server: Served, path: str) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{server.host}:{server.port}{path}"):
            pass
    return refused.value


async def test_each_protocol_reaches_its_application() -> None:
    site = ProtocolRouter(
        http=greet_over_http,
        websocket=greet_over_websocket,
        lifespan=keep_a_greeting,
    )

    with serve_asgi(site, lifespan="on") as server:
        with urllib.request.urlopen(server.url) as response:
            over_http = response.read()
        async with connect(f"ws://{server.host}:{server.port}") as socket:
            over_websocket = await socket.recv()

    assert over_http == b"Hello."
    assert over_websocket == "Welcome."


async def test_an_unknown_protocol_is_an_error_that_names_it() -> None:
    site = ProtocolRouter(
        http=greet_over_http,
        websocket=greet_over_websocket,
        lifespan=keep_a_greeting,
    )

    async def receive() -> Message:
        raise AssertionError("There is nothing to receive from an unknown protocol.")

    async def send(message: Message) -> None:
        raise AssertionError("There is nothing to say in an unknown protocol.")

    with pytest.raises(ValueError, match="'carrier-pigeon'"):
        await site({"type": "carrier-pigeon"}, receive, send)


async def test_a_websocket_reaches_the_application_at_its_path() -> None:
    routes = WebSocketRoutes({"/welcome": greet_over_websocket})

    with serve_asgi(routes) as server:
        async with connect(f"ws://{server.host}:{server.port}/welcome?again") as socket:
            greeting = await socket.recv()

    assert greeting == "Welcome."


@pytest.mark.parametrize("path", ["/", "/welcome/", "/welcome/more", "/Welcome"])
async def test_an_unknown_websocket_path_is_refused_with_a_problem(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    routes = WebSocketRoutes({"/welcome": greet_over_websocket})

    with serve_asgi(routes) as server:
        refused = await refusal(server, path)

    assert refused.response.status_code == 404
    assert refused.response.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(refused.response.body or b"")
    assert problem["status"] == 404
    assert path in problem["detail"]
    assert [record for record in caplog.records if record.exc_info] == []


async def test_an_empty_table_refuses_every_websocket() -> None:
    with serve_asgi(WebSocketRoutes({})) as server:
        refused = await refusal(server, "/welcome")

    assert refused.response.status_code == 404


async def test_a_server_without_denial_responses_gets_a_close(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serve_asgi(without_denial_responses(WebSocketRoutes({}))) as server:
        refused = await refusal(server, "/welcome")

    assert refused.response.status_code == 403
    assert [record for record in caplog.records if record.exc_info] == []
