"""The access log: one line a request."""

import logging
import time

from async_views.runtime.asgi.log_lines import printable
from async_views.runtime.asgi.types import Application, Message, Receive, Scope, Send

# gunicorn's own logger, so that its `accesslog` setting decides where the lines go.
logger = logging.getLogger("gunicorn.access")


class AccessLog:
    """ASGI middleware. The format is that of gunicorn.conf.py for WSGI."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not logger.isEnabledFor(logging.INFO):
            await self.application(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        size = 0

        async def count(event: Message) -> None:
            nonlocal status, size
            if event["type"] == "http.response.start":
                status = event["status"]
            elif event["type"] == "http.response.body":
                size += len(event.get("body", b""))
            await send(event)

        try:
            await self.application(scope, receive, count)
        finally:
            logger.info(
                '%s %s "%s" %s %d B %.1f ms',
                time.strftime("[%d/%b/%Y:%H:%M:%S %z]"),
                # A trusted proxy passes on any name of its client.
                quotable(scope["client"][0]) if scope["client"] else "-",
                request_line(scope),
                # The client disconnected, or the application failed, before a response.
                status or "-",
                size,
                (time.perf_counter() - started) * 1000,
            )


def request_line(scope: Scope) -> str:
    """The request line as received, in ASCII, so that clients cannot forge log lines."""
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    path = (scope["raw_path"] + query).decode("ascii", "backslashreplace")
    return f"{scope['method']} {quotable(path)} HTTP/{scope['http_version']}"


def quotable(text: str) -> str:
    """The text in a form that can stand between quotes."""
    return printable(text).replace('"', "\\x22")
