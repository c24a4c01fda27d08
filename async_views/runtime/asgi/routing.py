"""Routing of connections to applications, by protocol and by path."""

from collections.abc import Mapping

from async_views.runtime.asgi.problem_details import ProblemDetails, shortened
from async_views.runtime.asgi.types import (
    Application,
    Headers,
    Receive,
    Scope,
    Send,
)


class ProtocolRouter:
    """Hands each connection to the application for its protocol.

    Raises ``ValueError`` for an unknown scope type.
    """

    def __init__(
        self, *, http: Application, websocket: Application, lifespan: Application
    ) -> None:
        self.applications = {
            "http": http,
            "websocket": websocket,
            "lifespan": lifespan,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self.applications.get(scope["type"])
        if application is None:
            raise ValueError(
                f"The scope type {scope['type']!r} is unknown; "
                f"known types: {', '.join(self.applications)}."
            )
        await application(scope, receive, send)


class WebSocketRoutes:
    """Hands each WebSocket to the application for its exact path.

    ``headers`` are added to refusals.
    """

    def __init__(
        self, routes: Mapping[str, Application], headers: Headers = ()
    ) -> None:
        self.routes = dict(routes)
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.routes.get(scope["path"])
        if route is None:
            problem = ProblemDetails(
                404, f"No WebSocket is served at {shortened(scope['path'])}."
            )
            await refuse_websocket(scope, receive, send, problem, self.headers)
        else:
            await route(scope, receive, send)


async def refuse_websocket(
    scope: Scope,
    receive: Receive,
    send: Send,
    problem: ProblemDetails,
    headers: Headers,
) -> None:
    """Refuses the handshake with a problem if the server supports it, else with a close.

    A close before accept reaches the client as HTTP 403, whatever its code. The extension
    for denial responses carries a status and a body:
    https://asgi.readthedocs.io/en/latest/extensions.html#websocket-denial-response
    """
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    await send(
        {
            "type": "websocket.http.response.start",
            "status": problem.status,
            "headers": [*problem.headers(), *headers],
        }
    )
    await send({"type": "websocket.http.response.body", "body": problem.document()})
