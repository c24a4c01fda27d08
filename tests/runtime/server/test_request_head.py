"""A request's head is read as HTTP specifies, and refused if it is invalid."""

import json
import time
from collections.abc import Iterator

import pytest

from async_views.runtime.asgi.types import Receive, Scope, Send
from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from tests.runtime.server.recorder import Recorder, exchange, statuses, statuses_in
from tests.support.servers import Served, serve_asgi

BEHIND = b"GET /behind HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n"


class Impatient(DeadlineHttpProtocol):
    receive_timeout = 0.3
    linger_timeout = 0.3


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(scope="module")
def server(recorder: Recorder) -> Iterator[Served]:
    with serve_asgi(recorder, http=Impatient) as served:
        yield served


@pytest.fixture
def site(recorder: Recorder) -> Recorder:
    """Records the requests that reach the application during the test."""
    recorder.forget()
    return recorder


def head(line: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([line, *fields, b"", b""])


GET = b"GET / HTTP/1.1"
POST = b"POST /first HTTP/1.1"
SITE = b"Host: site"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "detail"),
    [
        (head(GET), 400, "The request has no Host"),
        (head(GET, b"X: Host: site"), 400, "The request has no Host"),
        (head(GET, SITE, SITE), 400, "The request has 2 Host fields"),
        (head(GET, b"Host: a", b"hOST: b"), 400, "The request has 2 Host fields"),
        (head(b"GET / HTTP/1.0", SITE, SITE), 400, "The request has 2 Host fields"),
        (head(GET, b"Host:"), 400, "Host is ''"),
        (head(GET, b"Host: a b"), 400, "Host is 'a b'"),
        (head(GET, b"Host: a/b"), 400, "Host is 'a/b'"),
        (head(GET, b"Host: user@site"), 400, "Host is 'user@site'"),
        (head(GET, b"Host: site:port"), 400, "Host is 'site:port'"),
        (head(GET, b"Host: [::1"), 400, "Host is '[::1'"),
        (head(GET, b"Host: \xc3\xa9"), 400, "Host is '\u00c3\u00a9'"),
        (head(b"GET http://site/ HTTP/1.1"), 400, "The request has no Host"),
        (head(b"GET http:///x HTTP/1.1", SITE), 400, "The request"),
        (head(b"GET http://u@site/ HTTP/1.1", SITE), 400, "The request's target is"),
        (head(b"GET ftp://site/ HTTP/1.1", SITE), 400, "The request's target is"),
        (head(b"OPTIONS * HTTP/1.1", SITE), 400, "The request's target is '*'"),
        *(
            (head(POST, SITE, b"Transfer-Encoding: " + coding), 501, "The transfer coding")
            for coding in (
                b"gzip",
                b"gzip, chunked",
                b"gzip\r\nTransfer-Encoding: chunked",
                b"identity",
                b"xchunked",
                b"chunked;q=1",
                b'"chunked"',
            )
        ),
        *(
            (head(POST, SITE, b"Transfer-Encoding: " + coding), 400, "")
            for coding in (
                b"chunked, chunked",
                b"chunked\r\nTransfer-Encoding: chunked",
                b"chunked, gzip",
                b", ,",
                b"",
                b"chunked\r\nContent-Length: 3",
            )
        ),
        *(
            (head(POST, SITE, b"Content-Length: " + length), 400, "")
            for length in (
                b"3\r\nContent-Length: 3",
                b"3\r\nContent-Length: 4",
                b"3, 3",
                b"+3",
                b"-3",
                b"0x3",
                b"3 3",
                b"",
                b"3\r\nTransfer-Encoding: chunked",
                b"99999999999999999999999",
            )
        ),
        (
            head(b"POST / HTTP/1.0", SITE, b"Transfer-Encoding: chunked"),
            400,
            "An HTTP/1.0 request cannot have Transfer-Encoding",
        ),
        (head(GET, SITE, b"X: a", b" b"), 400, ""),
        (head(GET, SITE, b"X: a", b"\tContent-Length: 3"), 400, ""),
        (head(GET, b" X: a", SITE), 400, ""),
        (head(POST, SITE, b"Content-Length : 3"), 400, ""),
        (head(POST, SITE, b"Transfer-Encoding : chunked"), 400, ""),
        (head(GET, SITE, b"X: a\0b"), 400, ""),
        (b"GET / HTTP/1.1\nHost: site\n\n", 400, ""),
    ],
)  # fmt: skip
def test_an_ambiguous_request_is_refused_with_all_that_follows(
    server: Served, site: Recorder, sent: bytes, status: int, detail: str
) -> None:
    answer = exchange(server, sent + CHUNKS + BEHIND)
    apart = statuses(server, sent, CHUNKS, BEHIND)

    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert problem["status"] == status
    assert problem["detail"].startswith(detail)
    assert b"\r\nconnection: close\r\n" in answer
    assert statuses_in(answer) == apart == [status]
    assert site.asked == []


def test_a_refused_head_request_gets_no_body(server: Served) -> None:
    answer = exchange(server, b"HEAD / HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("space", [b" ", b"\t", b" \t \t"])
def test_white_space_around_a_value_is_not_part_of_it(
    server: Served, site: Recorder, space: bytes
) -> None:
    fields = [b"Host: site", b"Content-Length: 3", b"Idempotency-Key: one", b"X-Empty:"]
    spaced = [
        name + b":" + space + value.strip() + space
        for name, _, value in (field.partition(b":") for field in fields)
    ]

    assert statuses(server, head(POST, *spaced) + b"abc" + BEHIND) == [200, 200]
    assert site.asked[0] == ("POST /first", b"abc")
    assert site.headers[0] == [
        (b"host", b"site"),
        (b"content-length", b"3"),
        (b"idempotency-key", b"one"),
        (b"x-empty", b""),
    ]


@pytest.mark.parametrize("expectation", [b"100-continue", b"100-Continue \t"])
def test_a_client_gets_100_continue(
    server: Served, site: Recorder, expectation: bytes
) -> None:
    sent = head(POST, SITE, b"Content-Length: 3", b"Expect: " + expectation)

    assert statuses(server, sent, b"abc", BEHIND) == [100, 200, 200]


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"chunked ", b", chunked,"])
def test_a_body_in_chunks_is_read(
    server: Served, site: Recorder, coding: bytes
) -> None:
    sent = head(POST, SITE, b"Transfer-Encoding: " + coding)
    answers = statuses(server, sent + CHUNKS + BEHIND)

    # A coding is refused only if the parser cannot be certain about it.
    assert answers in ([200, 200], [400])
    assert site.asked in ([("POST /first", b"abc"), ("GET /behind", b"")], [])
    assert len(site.asked) == (2 if answers == [200, 200] else 0)


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"http://other:8000/a%20b?c=d", "/a b", b"other:8000"),
        (b"http://other", "/", b"other"),
        (b"HTTPS://other?c=d", "/", b"other"),
        (b"http://[::1]:80/a", "/a", b"[::1]:80"),
    ],
)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_the_host_of_an_absolute_target_replaces_the_host_field(
    server: Served,
    site: Recorder,
    target: bytes,
    path: str,
    host: bytes,
    version: bytes,
) -> None:
    sent = head(b"GET %b HTTP/%b" % (target, version), b"X: y", SITE)

    assert statuses(server, sent + BEHIND)[0] == 200
    assert site.asked[0] == (f"GET {path}", b"")
    assert site.headers[0] == [(b"host", host), (b"x", b"y")]


def test_http_1_0_needs_no_host(server: Served, site: Recorder) -> None:
    assert statuses(server, b"GET /first HTTP/1.0\r\n\r\n") == [200]
    assert site.asked == [("GET /first", b"")]


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """A body in parts, whose length is known only at /known."""
    await receive()
    headers = [(b"content-type", b"text/plain")]
    if scope["path"] == "/known":
        headers.append((b"content-length", b"6"))
    elif scope["path"] == "/explicit":
        headers.append((b"transfer-encoding", b"chunked"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for part in (b"abc", b"", b"def"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("path", [b"/", b"/known", b"/explicit"])
@pytest.mark.parametrize("fields", [(), (b"Connection: keep-alive", b"TE: trailers")])
def test_http_1_0_gets_no_chunks(path: bytes, fields: tuple[bytes, ...]) -> None:
    with serve_asgi(stream, http=Impatient) as server:
        old = exchange(server, head(b"GET %b HTTP/1.0" % path, SITE, *fields))
        new = exchange(
            server, head(b"GET %b HTTP/1.1" % path, SITE, b"Connection: close")
        )
        without = exchange(server, head(b"HEAD %b HTTP/1.0" % path, SITE, *fields))

    fields_of_old, _, body = old.partition(b"\r\n\r\n")
    assert body == b"abcdef"
    assert b"transfer-encoding" not in fields_of_old
    assert b"\r\nconnection: close" in fields_of_old
    assert (b"transfer-encoding: chunked" in new) is (path != b"/known")
    assert without.endswith(b"\r\n\r\n")


def test_http_1_0_gets_no_100_continue(server: Served, site: Recorder) -> None:
    fields = (SITE, b"Content-Length: 3", b"Expect: 100-continue")

    assert statuses(server, head(b"POST / HTTP/1.0", *fields), b"abc") == [200]
    assert site.asked == [("POST /", b"abc")]


def test_a_refusal_is_sent_at_once(server: Served) -> None:
    began = time.monotonic()

    exchange(server, b"GET / HTTP/1.1\r\n\r\n")

    assert time.monotonic() - began < Impatient.receive_timeout
