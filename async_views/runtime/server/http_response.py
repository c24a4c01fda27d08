"""Writing a response's head and body in one piece where possible.

uvicorn writes the head as soon as it gets it: two system calls, and two wake-ups of the
client, for what fits in one packet. ASGI lets a server wait for the body:
https://asgi.readthedocs.io/en/stable/specs/www.html#response-start-send-event
"""

from collections.abc import Awaitable
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from async_views.runtime.asgi.types import HAS_MESSAGE, Headers

# Fields with few different values: they are checked once, and kept as written.
REPEATED = frozenset(
    {
        b"allow",
        b"cache-control",
        b"content-security-policy",
        b"content-type",
        b"cross-origin-opener-policy",
        b"ratelimit-policy",
        b"referrer-policy",
        b"strict-transport-security",
        b"vary",
        b"x-content-type-options",
        b"x-frame-options",
    }
)
MAX_KEPT = 1000
# Fields of the connection's framing are left to uvicorn.
FRAMING = frozenset({b"connection", b"transfer-encoding"})
WITHOUT_BODY = frozenset({204, 304})

_kept: dict[tuple[bytes, bytes], bytes] = {}


class ResponseWriter:
    """Sends an application's response to one request, and holds its head until the body.

    If the application fails between the two, the client gets a 500 instead of a head
    without a body. Everything but the plain case is left to uvicorn.
    """

    def __init__(
        self, application: ASGI3Application, cycle: RequestResponseCycle
    ) -> None:
        self.application = application
        self.cycle = cycle
        self.start: Any = None
        self.ends_by_closing = False

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        extensions = scope.get("extensions") or {}
        # Of the event only: a reference to the cycle, in its own scope, would be a cycle.
        has_message = self.cycle.message_event.is_set
        scope["extensions"] = {**extensions, HAS_MESSAGE: has_message}
        return self.application(scope, receive, self.send)

    async def send(self, message: Any) -> None:
        cycle, start = self.cycle, self.start
        if self.ends_by_closing:
            await self._send_until_close(message)
            return
        if start is None:
            if message["type"] == "http.response.start" and not cycle.response_started:
                self.start = message
            else:
                await cycle.send(message)
            return
        self.start = None
        if self._write(start, message):
            return
        if cycle.scope["http_version"] != "1.1":
            start = self._without_chunks(start)
        await cycle.send(start)
        await self.send(message)

    def _without_chunks(self, start: Any) -> Any:
        """The start of a response to a client that may not know transfer codings.

        Without Content-Length the body ends with the connection (RFC 9112, sections 6.1
        and 6.3).
        """
        headers = [
            (name, value)
            for name, value in start.get("headers", ())
            if name.lower() != b"transfer-encoding"
        ]
        if not any(name.lower() == b"content-length" for name, _ in headers):
            self.ends_by_closing = True
            self.cycle.chunked_encoding = False
        return {**start, "headers": headers}

    async def _send_until_close(self, message: Any) -> None:
        # uvicorn counts down the length that was announced.
        self.cycle.expected_content_length = len(message.get("body", b""))
        await self.cycle.send(message)

    def _write(self, start: Any, message: Any) -> bool:
        """Writes the whole response at once; returns False if uvicorn has to send it."""
        cycle = self.cycle
        if (
            message["type"] != "http.response.body"
            or message.get("more_body")
            or cycle.disconnected
            or cycle.flow.write_paused
            or cycle.scope["method"] == "HEAD"
        ):
            return False
        body = message.get("body", b"")
        status = start["status"]
        lines = header_lines(
            start.get("headers", ()), len(body), needs_length=status not in WITHOUT_BODY
        )
        if lines is None:
            return False
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(
            b"".join(
                (
                    STATUS_LINE[status],
                    *(b"%b: %b\r\n" % header for header in cycle.default_headers),
                    *lines,
                    b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n",
                    body,
                )
            )
        )
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True


def header_lines(headers: Headers, size: int, needs_length: bool) -> list[bytes] | None:
    """The header fields as written, for a body of `size` bytes.

    Returns None, so that uvicorn sends them, if a field is not valid, is about the
    connection's framing, or states another length, or if a required length is missing.
    """
    lines = []
    has_length = False
    for header in headers:
        line = _kept.get(header)
        if line is None:
            name, value = header
            if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
                return None
            name = name.lower()
            if name in FRAMING:
                return None
            if name == b"content-length":
                if value != b"%d" % size:
                    return None
                if not needs_length:
                    # In a response without a body, the length is that of another
                    # response (RFC 9110, section 8.6).
                    continue
                has_length = True
            line = b"%b: %b\r\n" % (name, value)
            if name in REPEATED:
                if len(_kept) == MAX_KEPT:
                    _kept.clear()
                _kept[header] = line
        lines.append(line)
    return lines if has_length or not (needs_length or size) else None
