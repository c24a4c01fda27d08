"""What was asked, what was answered, and how long did it take: one line a request."""

import logging
import time

from async_views.runtime.asgi.log_lines import printable
from async_views.runtime.asgi.types import Application, Message, Receive, Scope, Send

# gunicorn's own logger, so that its `accesslog` setting says where the lines go.
logger = logging.getLogger("gunicorn.access")


class AccessLog:
    """ASGI middleware; each line has the shape that gunicorn.conf.py gives WSGI's."""

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
                # A trusted proxy passes on whatever its client called itself.
                quotable(scope["client"][0]) if scope["client"] else "-",
                request_line(scope),
                # The client left, or the application failed, before there was a status.
                status or "-",
                size,
                (time.perf_counter() - started) * 1000,
            )


def request_line(scope: Scope) -> str:
    """As it came, in ASCII: what a client sends must not be able to forge a log line."""
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    path = (scope["raw_path"] + query).decode("ascii", "backslashreplace")
    return f"{scope['method']} {quotable(path)} HTTP/{scope['http_version']}"


def quotable(text: str) -> str:
    """To be put between quotes."""
    return printable(text).replace('"', "\\x22")
