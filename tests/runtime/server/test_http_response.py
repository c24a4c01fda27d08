"""A response is written in one piece, unchanged."""

import asyncio
import http.client
import re
import socket
import threading
from collections.abc import Sequence

import pytest

from async_views.runtime.asgi.types import (
    HAS_MESSAGE,
    Application,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
)
from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from async_views.runtime.server.http_response import MAX_KEPT, _kept, header_lines
from tests.support.servers import serve_asgi
from tests.support.site import SECONDS_TO_WAIT


class NotingProtocol(DeadlineHttpProtocol):
    """Records each write to its transport, and passes it on."""

    writes: list[bytes]

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(NotingTransport(transport, self.writes))  # type: ignore[arg-type]


class NotingTransport:
    def __init__(self, transport: asyncio.Transport, writes: list[bytes]) -> None:
        self._transport = transport
        self._writes = writes

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._writes.append(bytes(data))
        self._transport.write(data)


def answering(*messages: Message) -> Application:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return application


def start(headers: Headers = (), status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(content: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def exchange(
    application: Application, method: str = "GET", version: bytes = b"1.1"
) -> tuple[http.client.HTTPResponse, bytes, list[bytes]]:
    """The response, its body, and the data of each write."""

    class Noting(NotingProtocol):
        writes: list[bytes] = []

    with (
        serve_asgi(application, http=Noting) as server,
        socket.create_connection((server.host, server.port), timeout=60) as client,
    ):
        client.sendall(method.encode() + b" / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
        response = http.client.HTTPResponse(client, method=method)
        response.begin()
        with response:
            return response, response.read(), Noting.writes


LENGTH_5 = (b"content-length", b"5")


def test_a_response_is_one_write() -> None:
    application = answering(start([LENGTH_5, (b"X-Own", b"kept")]), body(b"hello"))

    response, content, writes = exchange(application)

    assert (response.status, content) == (200, b"hello")
    assert response.getheader("x-own") == "kept"
    assert response.getheader("server") == "uvicorn"
    assert response.getheader("date")
    assert len(writes) == 1


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("headers", [[], [(b"content-length", b"0")]])
def test_a_response_without_a_body_is_one_write_without_a_length(
    status: int, headers: Headers
) -> None:
    application = answering(start(headers, status=status), body())

    response, content, writes = exchange(application)

    assert (response.status, content) == (status, b"")
    assert response.getheader("content-length") is None
    assert response.getheader("transfer-encoding") is None
    assert len(writes) == 1


def test_a_stream_is_written_in_pieces() -> None:
    application = answering(start(), body(b"one", more=True), body(b"two"))

    response, content, writes = exchange(application)

    assert response.getheader("transfer-encoding") == "chunked"
    assert content == b"onetwo"
    assert len(writes) >= 3


def test_a_response_of_unknown_length_is_chunked() -> None:
    response, content, _ = exchange(answering(start(), body(b"hello")))

    assert response.getheader("transfer-encoding") == "chunked"
    assert content == b"hello"


def test_the_response_to_a_head_request_has_a_length_and_no_body() -> None:
    application = answering(start([LENGTH_5]), body(b"hello"))

    response, content, _ = exchange(application, method="HEAD")

    assert response.getheader("content-length") == "5"
    assert content == b""


def test_an_http_1_0_connection_is_closed_with_connection_close() -> None:
    application = answering(start([LENGTH_5]), body(b"hello"))

    response, content, writes = exchange(application, version=b"1.0")

    assert response.getheader("connection") == "close"
    assert content == b"hello"
    assert len(writes) == 1


def test_an_application_may_close_the_connection() -> None:
    application = answering(
        start([LENGTH_5, (b"connection", b"close")]), body(b"hello")
    )

    response, content, _ = exchange(application)

    assert response.headers.get_all("connection") == ["close"]
    assert content == b"hello"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"4")],
        [(b"content-length", b"6")],
        [LENGTH_5, (b"x-split", b"a\r\nb: c")],
        [LENGTH_5, (b"x split", b"a")],
    ],
)
def test_an_invalid_head_is_never_written_with_its_body(
    headers: Sequence[tuple[bytes, bytes]],
) -> None:
    assert header_lines(headers, 5, needs_length=True) is None


def test_an_application_that_fails_after_its_head_gets_a_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start([LENGTH_5]))
        raise RuntimeError("no body after all")

    response, content, _ = exchange(failing)

    assert (response.status, content) == (500, b"Internal Server Error")
    assert "no body after all" in caplog.text


def test_repeated_values_are_checked_once() -> None:
    page = (b"Content-Type", b"text/html; charset=once")
    first = header_lines([page], 0, needs_length=False)

    second = header_lines([page], 0, needs_length=False)

    assert first == second == [b"content-type: text/html; charset=once\r\n"]
    assert first is not None and second is not None and first[0] is second[0]


def test_the_memory_for_checked_values_is_bounded() -> None:
    for number in range(MAX_KEPT + 10):
        header_lines([(b"vary", b"%d" % number)], 0, needs_length=False)

    assert len(_kept) <= MAX_KEPT


def test_requests_in_a_row_are_answered_in_order() -> None:
    async def path(scope: Scope, receive: Receive, send: Send) -> None:
        content = scope["path"].encode()
        await send(start([(b"content-length", b"%d" % len(content))]))
        await send(body(content))

    with (
        serve_asgi(path, http=DeadlineHttpProtocol) as server,
        socket.create_connection((server.host, server.port), timeout=60) as client,
    ):
        client.sendall(
            b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
            b"GET /bc HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        answers = b"".join(iter(lambda: client.recv(4096), b""))

    assert re.findall(rb"\r\n\r\n(/[abc]+)", answers) == [b"/a", b"/bc"]


def test_an_application_can_check_whether_a_message_waits() -> None:
    results: list[object] = []
    waiting, over = threading.Event(), threading.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        has_message = scope["extensions"][HAS_MESSAGE]
        results.append(has_message())
        for _ in range(2):
            message = await receive()
            results.extend((message["type"], has_message()))
            waiting.set()
        over.set()

    with (
        serve_asgi(application, http=DeadlineHttpProtocol) as server,
        socket.create_connection((server.host, server.port), timeout=60) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert waiting.wait(SECONDS_TO_WAIT)
        client.close()
        assert over.wait(SECONDS_TO_WAIT)

    assert results == [True, "http.request", False, "http.disconnect", False]
