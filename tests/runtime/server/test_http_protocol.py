"""A client that sends too slowly or too much is disconnected, and no other."""

import asyncio
import contextlib
import http.client
import itertools
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from websockets.asyncio.client import connect

from async_views.runtime.asgi.types import Receive, Scope, Send
from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from tests.support.servers import Served, serve_asgi
from tests.support.site import PATIENCE, SECONDS_TO_WAIT

TIMEOUT = 0.15
# Well within the timeout, so that a busy machine does not make a client late.
PAUSE = TIMEOUT / 5
IDLE_TIMEOUT = 0.5

# The site runs on uvloop. Tests that depend on how a transport ends or pauses also run on
# asyncio's loop.
either_loop = pytest.mark.parametrize("serve", ["asyncio", "uvloop"], indirect=True)

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"


class Impatient(DeadlineHttpProtocol):
    receive_timeout = TIMEOUT
    minimum_rate = 1000
    linger_timeout = TIMEOUT
    error_headers = [(b"x-content-type-options", b"nosniff")]


class Site:
    """Reads each body, and responds with the path and the body's size.

    At /early it responds without reading, at /wait and below only after `go_on` is set.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.disconnects = 0
        self.headers: list[dict[bytes, bytes]] = []
        self.go_on = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        if scope["path"].startswith("/wait"):
            await asyncio.to_thread(self.go_on.wait)
        size = 0
        more = not scope["path"].endswith("/early")
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnects += 1
                return
            size += len(message["body"])
            more = message["more_body"]
        self.headers.append(dict(scope["headers"]))
        body = f"{scope['path']} {size}".encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Demanding(Impatient):
    """Requires so high a rate that a received body adds almost no time."""

    minimum_rate = 1_000_000_000


class Serve(Protocol):
    def __call__(
        self, site: Site, http: type[DeadlineHttpProtocol] = Impatient
    ) -> AbstractContextManager[Served]: ...


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Serve:
    loop = getattr(request, "param", "uvloop")

    def serve_on_loop(
        site: Site, http: type[DeadlineHttpProtocol] = Impatient
    ) -> AbstractContextManager[Served]:
        return serve_asgi(site, http=http, loop=loop)

    return serve_on_loop


@contextlib.contextmanager
def connected(server: Served) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=60) as client:
        yield client


def read_answer(client: socket.socket) -> tuple[http.client.HTTPResponse, bytes]:
    response = http.client.HTTPResponse(client)
    response.begin()
    with response:
        return response, response.read()


def read_to_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def send_slowly(client: socket.socket, pieces: Iterator[bytes] | list[bytes]) -> None:
    """Sends the pieces one by one until the server has responded."""
    client.setblocking(False)
    for piece in pieces:
        with contextlib.suppress(BlockingIOError):
            client.recv(1, socket.MSG_PEEK)
            break
        client.send(piece)
        time.sleep(PAUSE)
    client.settimeout(5)


def send_until_cut_off(client: socket.socket) -> None:
    give_up = time.monotonic() + SECONDS_TO_WAIT
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < give_up:
            client.sendall(bytes(100_000))
        pytest.fail("The client was not cut off.")


def post(*fields: bytes, path: str = "/") -> bytes:
    lines = [f"POST {path} HTTP/1.1".encode(), b"Host: site", *fields, b"", b""]
    return b"\r\n".join(lines)


def endless(piece: bytes) -> Iterator[bytes]:
    """Practically endless: many times as many pieces as it takes to be late."""
    return itertools.repeat(piece, 100)


@either_loop
def test_a_silent_client_is_cut_off(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        response, _ = read_answer(client)
        end = client.recv(1)

    assert response.status == 408
    assert end == b""
    assert site.asked == 0


def test_headers_that_arrive_too_slowly_are_cut_off(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: site\r\n")
        send_slowly(client, endless(b"X-Slow: 1\r\n"))
        response, _ = read_answer(client)

    assert response.status == 408
    assert site.asked == 0


def test_empty_lines_do_not_extend_the_deadline(serve: Serve) -> None:
    with serve(Site()) as server, connected(server) as client:
        send_slowly(client, endless(b"\r\n"))
        response, _ = read_answer(client)

    assert response.status == 408


def test_a_refusal_is_a_problem_with_the_sites_headers() -> None:
    with serve_asgi(Site(), http=Impatient) as server, connected(server) as client:
        response, body = read_answer(client)

    assert response.getheader("content-type") == "application/problem+json"
    assert response.getheader("x-content-type-options") == "nosniff"
    assert response.getheader("connection") == "close"
    assert response.getheader("date") is not None
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Request Timeout",
        "status": 408,
        "detail": "The request's headers came too slowly.",
    }


def test_headers_in_pieces_are_accepted_in_time(serve: Serve) -> None:
    pieces = [GET[:5], GET[5:20], GET[20:]]

    with serve(Site()) as server, connected(server) as client:
        send_slowly(client, pieces)
        response, _ = read_answer(client)

    assert response.status == 200


@either_loop
def test_a_body_that_arrives_too_slowly_is_cut_off_with_a_disconnect(
    serve: Serve,
) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 1000000"))
        send_slowly(client, endless(b"x"))
        response, body = read_answer(client)

    assert response.status == 408
    assert "body" in json.loads(body)["detail"]
    assert (site.asked, site.disconnects) == (1, 1)


def test_a_response_after_the_refusal_is_discarded(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 3", path="/wait/early"))
        response, _ = read_answer(client)
        site.go_on.set()
        end = client.recv(1)

    assert (response.status, end) == (408, b"")
    assert [record for record in caplog.records if record.exc_info] == []


def test_chunk_overhead_does_not_count_as_body(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(post(b"Transfer-Encoding: chunked"))
        send_slowly(client, endless(b"1;extension=" + b"x" * 1000 + b"\r\nx\r\n"))
        response, _ = read_answer(client)

    assert response.status == 408
    assert site.disconnects == 1


def test_a_slow_body_is_accepted_above_the_minimum_rate(serve: Serve) -> None:
    pieces = [bytes(200)] * 15
    started = time.monotonic()

    with serve(Site()) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 3000"))
        send_slowly(client, pieces)
        response, body = read_answer(client)

    assert (response.status, body) == (200, b"/ 3000")
    assert time.monotonic() - started > 2 * TIMEOUT


def test_the_application_has_no_deadline(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 3", path="/wait") + b"abc")
        time.sleep(2 * TIMEOUT)
        site.go_on.set()
        response, _ = read_answer(client)

    assert response.status == 200


@either_loop
def test_the_time_a_body_waits_to_be_read_does_not_count(serve: Serve) -> None:
    site = Site()
    body = bytes(1_000_000)

    with serve(site, http=Demanding) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 1000005", path="/wait"))
        sending = threading.Thread(target=client.sendall, args=(body,))
        sending.start()
        time.sleep(2 * TIMEOUT)
        site.go_on.set()
        sending.join()
        time.sleep(PAUSE)
        client.sendall(b"12345")
        response, answer = read_answer(client)

    assert (response.status, answer) == (200, b"/wait 1000005")


def test_a_client_that_waits_for_100_continue_is_not_late(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        fields = (b"Content-Length: 3", b"Expect: 100-continue")
        client.sendall(post(*fields, path="/wait"))
        time.sleep(2 * TIMEOUT)
        site.go_on.set()
        leave = client.recv(65536)
        client.sendall(b"abc")
        response, body = read_answer(client)

    assert leave == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (response.status, body) == (200, b"/wait 3")


def test_a_client_that_sends_nothing_after_100_continue_is_cut_off(
    serve: Serve,
) -> None:
    with serve(Site()) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 3", b"Expect: 100-continue"))
        response, _ = read_answer(client)

    assert response.status == 408


def test_an_idle_connection_is_kept_for_the_next_request(serve: Serve) -> None:
    with serve(Site()) as server, connected(server) as client:
        client.sendall(GET)
        read_answer(client)
        time.sleep(2 * TIMEOUT)
        client.sendall(GET)
        response, _ = read_answer(client)

    assert response.status == 200


def test_a_connection_idle_for_too_long_is_closed() -> None:
    with (
        serve_asgi(Site(), http=Impatient, timeout_keep_alive=IDLE_TIMEOUT) as server,
        connected(server) as client,
    ):
        client.sendall(GET)
        read_answer(client)
        began = time.monotonic()
        rest = read_to_end(client)

    assert rest == b""
    assert time.monotonic() - began >= IDLE_TIMEOUT / 2


def test_a_connection_is_idle_only_after_its_last_response() -> None:
    with (
        serve_asgi(Site(), http=Impatient, timeout_keep_alive=IDLE_TIMEOUT) as server,
        connected(server) as client,
    ):
        for _ in range(3):
            client.sendall(GET)
            read_answer(client)
            time.sleep(IDLE_TIMEOUT * 0.6)
        client.sendall(GET)
        response, _ = read_answer(client)
        began = time.monotonic()
        read_to_end(client)

    assert response.status == 200
    assert time.monotonic() - began >= IDLE_TIMEOUT / 2


def test_a_connection_with_a_slow_response_is_not_idle() -> None:
    site = Site()

    with (
        serve_asgi(site, http=Impatient, timeout_keep_alive=IDLE_TIMEOUT) as server,
        connected(server) as client,
    ):
        client.sendall(GET)
        read_answer(client)
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: site\r\n\r\n")
        time.sleep(2 * IDLE_TIMEOUT)
        site.go_on.set()
        response, _ = read_answer(client)
        read_to_end(client)

    assert response.status == 200


def test_the_next_request_has_a_deadline_of_its_own(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(GET)
        read_answer(client)
        time.sleep(2 * TIMEOUT)
        client.sendall(GET[:10])
        time.sleep(PAUSE)
        client.sendall(GET[10:])
        in_time, _ = read_answer(client)
        send_slowly(client, endless(b"\r\n"))
        late, _ = read_answer(client)

    assert (in_time.status, late.status) == (200, 408)
    assert site.asked == 2


def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    requests = [post(b"Content-Length: 3", path=f"/{n}") + b"abc" for n in range(4)]
    last = post(b"Connection: close", path="/last")

    with serve(Site()) as server, connected(server) as client:
        client.sendall(b"".join([*requests, last]))
        answers = read_to_end(client)

    bodies = [b"/0 3", b"/1 3", b"/2 3", b"/3 3", b"/last 0"]
    positions = [answers.find(b"\r\n\r\n" + body) for body in bodies]
    assert -1 not in positions
    assert positions == sorted(positions)


@pytest.mark.parametrize(
    ("rest", "status"), [(b"GET / HT", 408), (b"nonsense\r\n\r\n", 400)]
)
def test_a_bad_request_is_answered_after_the_earlier_one(
    serve: Serve, rest: bytes, status: int
) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(GET.replace(b" / ", b" /wait ") + rest[:3])
        time.sleep(PAUSE)
        client.sendall(rest[3:])
        time.sleep(2 * TIMEOUT)
        site.go_on.set()
        good, _, bad = read_to_end(client).partition(b"/wait 0")

    assert good.startswith(b"HTTP/1.1 200 OK")
    assert bad.startswith(b"HTTP/1.1 %d " % status)
    assert site.asked == 1


def test_a_bad_body_does_not_affect_the_response_to_the_earlier_request(
    serve: Serve,
) -> None:
    site = Site()
    bad = post(b"Transfer-Encoding: chunked") + b"nonsense\r\n"

    with serve(site) as server, connected(server) as client:
        client.sendall(GET.replace(b" / ", b" /wait ") + bad)
        # No response: neither request can be answered any more.
        with contextlib.suppress(ConnectionError):
            assert client.recv(1) == b""
        site.go_on.set()

    assert site.asked == 1


def test_a_late_body_cuts_off_a_response_that_has_begun() -> None:
    async def begin(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ab", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    with serve_asgi(begin, http=Impatient) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 3"))
        answer = read_to_end(client)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\nab")


def test_headers_above_the_limit_are_refused(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(GET[:-2] + b"X-Large: " + b"x" * 65536 + b"\r\n\r\n")
        response, body = read_answer(client)

    assert response.status == 431
    assert "65536 bytes" in json.loads(body)["detail"]
    assert site.asked == 0


def test_many_small_headers_count_like_few_large_ones(serve: Serve) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(GET[:-2] + b"X: y\r\n" * 11_000 + b"\r\n")
        response, _ = read_answer(client)

    assert response.status == 431
    assert site.asked == 0


def test_an_endless_header_is_refused_before_it_is_complete(serve: Serve) -> None:
    with serve(Site()) as server, connected(server) as client:
        client.sendall(GET[:-2] + b"X-Large: ")
        with contextlib.suppress(ConnectionError):
            client.sendall(b"x" * 1_000_000)
        response, _ = read_answer(client)

    assert response.status == 431


def test_pipelined_headers_count_from_the_end_of_the_earlier_request(
    serve: Serve,
) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(GET + GET[:-2] + b"X-Large: " + b"x" * 30_000)
        first, _ = read_answer(client)
        client.sendall(b"x" * 36_000 + b"\r\n\r\n")
        second, _ = read_answer(client)

    assert (first.status, second.status) == (200, 431)
    assert site.asked == 1


def test_large_headers_below_the_limit_are_accepted(serve: Serve) -> None:
    large = GET[:-2] + b"X-Large: " + b"x" * 65_000 + b"\r\n\r\n"

    with serve(Site()) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 100000") + bytes(100_000))
        first, _ = read_answer(client)
        client.sendall(large + large)
        second, _ = read_answer(client)

    assert (first.status, second.status) == (200, 200)


def test_trailers_are_not_headers(serve: Serve) -> None:
    site = Site()
    body = b"3\r\nabc\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n"

    with serve(site) as server, connected(server) as client:
        client.sendall(post(b"Transfer-Encoding: chunked") + body)
        response, answer = read_answer(client)

    assert (response.status, answer) == (200, b"/ 3")
    assert site.headers == [{b"host": b"site", b"transfer-encoding": b"chunked"}]


def test_endless_trailers_are_refused(serve: Serve) -> None:
    with serve(Site()) as server, connected(server) as client:
        client.sendall(post(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n")
        with contextlib.suppress(ConnectionError):
            client.sendall(b"X: y\r\n" * 100_000)
        response, _ = read_answer(client)

    assert response.status == 431


def test_bytes_that_are_not_http_are_refused_with_a_problem(serve: Serve) -> None:
    with serve(Site()) as server, connected(server) as client:
        client.sendall(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        response, body = read_answer(client)

    assert response.status == 400
    assert response.getheader("x-content-type-options") == "nosniff"
    assert json.loads(body)["title"] == "Bad Request"


def test_a_malformed_body_is_refused_and_the_application_gets_a_disconnect(
    serve: Serve,
) -> None:
    site = Site()

    with serve(site) as server, connected(server) as client:
        client.sendall(post(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n")
        time.sleep(PAUSE)
        client.sendall(b"nonsense\r\n")
        response, _ = read_answer(client)

    assert response.status == 400
    assert (site.asked, site.disconnects) == (1, 1)


@either_loop
def test_a_client_that_keeps_sending_can_read_its_refusal_first(serve: Serve) -> None:
    with serve(Site()) as server, connected(server) as client:
        client.sendall(b"nonsense\r\n\r\n" + bytes(5_000_000))
        response, _ = read_answer(client)
        send_until_cut_off(client)

    assert response.status == 400


@either_loop
def test_a_response_complete_before_its_request_ends_the_connection(
    serve: Serve,
) -> None:
    started = time.monotonic()

    with serve(Site()) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 1000000000", path="/early"))
        response, body = read_answer(client)
        client.sendall(bytes(1_000_000))
        end = client.recv(1)
        send_until_cut_off(client)

    assert (response.status, body, end) == (200, b"/early 0", b"")
    assert time.monotonic() - started < 10 * TIMEOUT * PATIENCE


def test_a_body_that_stops_after_the_response_gets_no_second_response(
    serve: Serve,
) -> None:
    with serve(Site()) as server, connected(server) as client:
        client.sendall(post(b"Content-Length: 3", path="/early"))
        answers = read_to_end(client)

    assert answers.endswith(b"\r\n\r\n/early 0")


async def test_a_websocket_outlives_the_deadline() -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"]})
        await send({"type": "websocket.close"})

    with serve_asgi(echo, http=Impatient) as server:
        async with connect(f"ws://{server.host}:{server.port}") as client:
            await asyncio.sleep(2 * TIMEOUT)
            await client.send("still here")
            echoed = await client.recv()

    assert echoed == "still here"


def test_a_handshake_that_arrives_too_slowly_is_cut_off(serve: Serve) -> None:
    handshake = b"GET / HTTP/1.1\r\nHost: site\r\nConnection: Upgrade\r\n"

    with serve(Site()) as server, connected(server) as client:
        client.sendall(handshake + b"Upgrade: websocket\r\n")
        response, _ = read_answer(client)

    assert response.status == 408


def test_refusals_are_logged_with_the_clients_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "uvicorn.error"):
        with serve_asgi(Site(), http=Impatient) as server, connected(server) as client:
            address = client.getsockname()
            read_answer(client)

    assert (
        f"Refused {address} with 408: The request's headers came too slowly."
        in caplog.messages
    )


def test_sigterm_ends_each_connection_after_a_response_or_when_idle() -> None:
    program = """
import asyncio, uvicorn
from async_views.runtime.server.http_protocol import DeadlineHttpProtocol

async def site(scope, receive, send):
    if scope["path"] == "/slow":
        print("asked", flush=True)
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})

uvicorn.run(site, port=0, fd=0, http=DeadlineHttpProtocol, log_level="critical")
"""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=listener.fileno(),
            stdout=subprocess.PIPE,
        ) as process,
    ):
        server = Served(*listener.getsockname())
        with (
            connected(server) as idle,
            connected(server) as next_one,
            connected(server) as fresh,
            connected(server) as busy,
        ):
            for client in (idle, next_one):
                client.sendall(GET)
                read_answer(client)
            busy.sendall(GET.replace(b" / ", b" /slow "))
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            response, body = read_answer(busy)
            # The worker is stopping by now, which these clients cannot know.
            lasts = []
            for client in (next_one, fresh):
                client.sendall(GET)
                lasts.append(read_answer(client)[0])
                assert client.recv(1) == b""
            assert idle.recv(1) == b""
            process.wait(SECONDS_TO_WAIT)

    assert (response.status, body) == (200, b"done")
    for each in (response, *lasts):
        assert (each.status, each.getheader("connection")) == (200, "close")
