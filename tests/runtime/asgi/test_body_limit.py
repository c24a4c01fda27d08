"""Bodies over the limit are refused, however they are sent, before they cost anything."""

import contextlib
import gc
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from pytest_django import Settings

from async_views.runtime.asgi.body_limit import BodyLimit
from async_views.runtime.asgi.types import Headers, Message, Receive, Scope, Send
from tests.support.servers import Served, serve_asgi

LIMIT = 100_000
MEGABYTE = bytes(1_000_000)
# More than one read of the server, so that a part has been passed on before the limit.
TEN_MEGABYTES = MEGABYTE * 10


@dataclass
class Reader:
    """An application that reads the body, and responds with the number of bytes."""

    received: list[int] = field(default_factory=list)
    disconnects: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.received.append(0)
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnects += 1
                return
            self.received[-1] += len(message["body"])
            more = message["more_body"]
        await answer(send, b"%d" % self.received[-1])


async def answer(send: Send, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


@contextlib.contextmanager
def connected(server: Served) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=60) as client:
        yield client


def post(path: str, *fields: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1".encode(), b"Host: site", *fields, b"", b""]
    return b"\r\n".join(lines)


def declared(body: bytes, path: str = "/") -> bytes:
    return post(path, b"Content-Length: %d" % len(body)) + body


def chunked(body: bytes, path: str = "/", size: int = 8192) -> bytes:
    chunks = (body[start : start + size] for start in range(0, len(body), size))
    return (
        post(path, b"Transfer-Encoding: chunked")
        + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        + b"0\r\n\r\n"
    )


def read_answer(client: socket.socket) -> tuple[http.client.HTTPResponse, bytes]:
    response = http.client.HTTPResponse(client)
    response.begin()
    with response:
        return response, response.read()


def exchange(server: Served, request: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    with connected(server) as client:
        client.sendall(request)
        return read_answer(client)


@pytest.mark.parametrize("send_as", [declared, chunked])
def test_a_body_of_exactly_the_limit_passes(send_as: Any) -> None:
    reader = Reader()

    with serve_asgi(BodyLimit(reader, LIMIT, {})) as server:
        response, body = exchange(server, send_as(bytes(LIMIT)))

    assert (response.status, body) == (200, b"%d" % LIMIT)


@pytest.mark.parametrize("send_as", [declared, chunked])
def test_a_body_of_one_byte_more_is_refused(send_as: Any) -> None:
    reader = Reader()

    with serve_asgi(BodyLimit(reader, LIMIT, {})) as server:
        response, _ = exchange(server, send_as(bytes(LIMIT + 1)))

    assert response.status == 413


def test_a_request_without_a_body_passes() -> None:
    with serve_asgi(BodyLimit(Reader(), LIMIT, {})) as server:
        response, body = exchange(server, b"GET / HTTP/1.1\r\nHost: site\r\n\r\n")

    assert (response.status, body) == (200, b"0")


def test_the_refusal_is_a_problem_that_names_the_limit() -> None:
    site_headers: Headers = [(b"x-content-type-options", b"nosniff")]

    with serve_asgi(BodyLimit(Reader(), LIMIT, {}, headers=site_headers)) as server:
        response, body = exchange(server, declared(MEGABYTE))

    assert response.getheader("content-type") == "application/problem+json"
    assert response.getheader("connection") == "close"
    assert response.getheader("x-content-type-options") == "nosniff"
    assert json.loads(body) == {
        "type": "about:blank",
        "title": HTTPStatus(413).phrase,
        "status": 413,
        "detail": "The request body is larger than 100000 bytes, which is the limit here.",
    }


def test_a_body_declared_too_large_never_reaches_the_application() -> None:
    reader = Reader()

    with serve_asgi(BodyLimit(reader, LIMIT, {})) as server:
        exchange(server, declared(bytes(LIMIT + 1)))

    assert reader.received == []


def test_an_undeclared_body_is_cut_at_the_limit_with_a_disconnect() -> None:
    reader = Reader()

    with serve_asgi(BodyLimit(reader, len(MEGABYTE), {})) as server:
        response, _ = exchange(server, chunked(TEN_MEGABYTES))

    assert response.status == 413
    assert reader.disconnects == 1
    assert 0 < reader.received[0] <= len(MEGABYTE)


def test_a_client_that_expects_100_continue_is_refused_without_it() -> None:
    request = post("/", b"Content-Length: 1000000", b"Expect: 100-continue")

    with serve_asgi(BodyLimit(Reader(), LIMIT, {})) as server:
        with connected(server) as client:
            client.sendall(request)
            first_line = client.recv(12)

    assert first_line == b"HTTP/1.1 413"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/", 200),
        ("/admin/catalog/import", 200),
        ("/admin", 413),
        ("/administration", 413),
        ("/other/admin/", 413),
    ],
)
def test_a_larger_limit_applies_only_under_its_prefix(path: str, status: int) -> None:
    limited = BodyLimit(Reader(), LIMIT, {"/admin/": 2 * LIMIT})

    with serve_asgi(limited) as server:
        response, _ = exchange(server, chunked(bytes(LIMIT + 1), path))

    assert response.status == status


def test_a_body_over_the_larger_limit_is_refused() -> None:
    limited = BodyLimit(Reader(), LIMIT, {"/admin/": 2 * LIMIT})

    with serve_asgi(limited) as server:
        response, body = exchange(server, chunked(bytes(2 * LIMIT + 1), "/admin/"))

    assert response.status == 413
    assert "200000 bytes" in json.loads(body)["detail"]


def test_a_body_longer_than_declared_is_cut_at_the_declared_length() -> None:
    reader = Reader()

    with serve_asgi(BodyLimit(reader, LIMIT, {})) as server:
        exchange(server, post("/", b"Content-Length: 5") + MEGABYTE)

    assert reader.received == [5]


@pytest.mark.parametrize(
    "values", [[b"five"], [b"-1"], [b"5, 5"], [b"5", b"6"], [b""], [b"9" * 5000]]
)
async def test_a_content_length_that_is_not_a_number_is_refused(
    values: list[bytes],
) -> None:
    # Uvicorn's parser refuses these itself; other servers may leave it to the site.
    reader = Reader()
    sent: list[Message] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "path": "/",
        "headers": [(b"content-length", value) for value in values],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyLimit(reader, LIMIT, {})(scope, receive, send)

    assert [message.get("status") for message in sent] == [400, None, None]
    assert json.loads(sent[1]["body"])["status"] == 400
    assert sent[-1]["more_body"] is False
    assert reader.received == []


async def test_an_unannounced_body_in_http_2_is_counted_too() -> None:
    reader = Reader()
    sent: list[Message] = []
    scope = {"type": "http", "http_version": "2", "path": "/", "headers": []}
    messages = [(bytes(LIMIT), True), (b"more", True), (b"", False)]

    async def receive() -> Message:
        body, more_body = messages.pop(0)
        return {"type": "http.request", "body": body, "more_body": more_body}

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyLimit(reader, LIMIT, {})(scope, receive, send)

    assert [message.get("status") for message in sent] == [413, None, None]
    assert (reader.received, reader.disconnects) == ([LIMIT], 1)


def test_a_client_that_sends_all_before_it_reads_still_reads_the_refusal() -> None:
    with serve_asgi(BodyLimit(Reader(), LIMIT, {})) as server:
        response, body = exchange(server, declared(TEN_MEGABYTES))

    assert response.status == 413
    assert json.loads(body)["status"] == 413


def test_an_upload_that_continues_after_its_refusal_is_cut_off() -> None:
    limited = BodyLimit(Reader(), LIMIT, {}, linger_seconds=0.2)

    with serve_asgi(limited) as server, connected(server) as client:
        client.sendall(post("/", b"Content-Length: 1000000000"))
        response, _ = read_answer(client)
        give_up = time.monotonic() + 5
        with pytest.raises(ConnectionError):
            while time.monotonic() < give_up:
                client.sendall(bytes(LIMIT))

    assert response.status == 413


def test_a_client_that_reads_its_refusal_and_sends_no_more_is_not_kept() -> None:
    limited = BodyLimit(Reader(), LIMIT, {}, linger_seconds=0.2)

    with serve_asgi(limited) as server, connected(server) as client:
        client.sendall(post("/", b"Content-Length: 1000000000"))
        read_answer(client)
        end = client.recv(1)

    assert end == b""


def test_a_response_that_has_begun_is_not_followed_by_a_refusal() -> None:
    async def answer_early(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.body", "body": b"done"})

    with serve_asgi(BodyLimit(answer_early, LIMIT, {})) as server:
        response, body = exchange(server, chunked(MEGABYTE))

    assert (response.status, body) == (200, b"done")


def test_the_application_s_response_after_the_refusal_is_discarded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        assert await receive() == {"type": "http.disconnect"}
        await answer(send, b"all the same")

    with serve_asgi(BodyLimit(stubborn, LIMIT, {})) as server:
        response, _ = exchange(server, chunked(MEGABYTE))

    assert response.status == 413
    assert [record for record in caplog.records if record.exc_info] == []


def body_size(request: HttpRequest) -> HttpResponse:
    return HttpResponse(len(request.body))


urlpatterns = [path("", body_size)]


def deleted_files_held_open() -> list[str]:
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(descriptor))
    return [link for link in links if link.endswith("(deleted)")]


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="reads open files from /proc"
)
def test_django_closes_the_spooled_file_of_a_refused_body(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    settings.ALLOWED_HOSTS = ["site"]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    before = deleted_files_held_open()

    with serve_asgi(BodyLimit(ASGIHandler(), len(MEGABYTE), {})) as server:
        refused, _ = exchange(server, chunked(TEN_MEGABYTES))
        taken, size = exchange(server, chunked(MEGABYTE))
    # An unclosed file would cause a warning here, and warnings are errors.
    gc.collect()
    after = deleted_files_held_open()

    assert refused.status == 413
    assert (taken.status, size) == (200, b"1000000")
    assert after == before
    assert [record for record in caplog.records if record.exc_info] == []
