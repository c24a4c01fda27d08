"""How does an answer leave the server? Its head and its body in one write, where it can.

uvicorn writes the head as soon as it is told: two system calls, and two wake-ups of the
client, for what fits one packet. ASGI lets a server wait until it hears of the body:
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

# What these say is much the same in all answers: checked once, and kept as written.
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
# Where the connection's own framing is at stake, uvicorn decides.
FRAMING = frozenset({b"connection", b"transfer-encoding"})
WITHOUT_BODY = frozenset({204, 304})

_kept: dict[tuple[bytes, bytes], bytes] = {}


class ResponseWriter:
    """An application's answer to one request, of which the head waits for the body.

    An application that fails between the two is so answered for with a 500 instead of
    a head that promises what never comes. All but the plain case is left to uvicorn.
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
        # Of the event alone: what held the cycle would hold itself, by its scope.
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
        """The start of an answer to a client that may know no transfer codings.

        Where it does not name its length, the end of the connection is its end
        (RFC 9112, sections 6.1 and 6.3).
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
        # uvicorn counts what is left of the length that was promised.
        self.cycle.expected_content_length = len(message.get("body", b""))
        await self.cycle.send(message)

    def _write(self, start: Any, message: Any) -> bool:
        """Writes all of an answer at once; answers False where that is not to be."""
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
    """The fields as they are written, before a body of that many bytes.

    None where there is more to them: they are not valid, or say something of the
    connection, or of another length, or of none where there has to be one.
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
                    # Of an answer without a body it would be said of another one's
                    # (RFC 9110, section 8.6).
                    continue
                has_length = True
            line = b"%b: %b\r\n" % (name, value)
            if name in REPEATED:
                if len(_kept) == MAX_KEPT:
                    _kept.clear()
                _kept[header] = line
        lines.append(line)
    return lines if has_length or not (needs_length or size) else None
