"""Every request ends where HTTP specifies, whichever upgrade it offers.

If a server and the proxy in front of it see the end of a request at different places, a
client can smuggle another request past the proxy. So these tests count the responses, and
check which requests reached the application.
"""

import socket
from collections.abc import Iterator

import pytest

from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from async_views.runtime.server.websocket_protocol import BoundedWebSocketProtocol
from tests.runtime.server.recorder import Recorder, exchange, statuses
from tests.support.servers import Served, serve_asgi

INSIDE = b"GET /inside HTTP/1.1\r\nHost: site\r\n\r\n"
BEHIND = b"GET /behind HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n"
CHUNKED = b"%x\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(INSIDE), INSIDE)
WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)

# Offers of upgrades that the server declines.
DECLINED = [
    b"Connection: upgrade\r\nUpgrade: foo",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    b"Upgrade: h2c\r\nConnection: keep-alive\r\nConnection: upgrade",
    b"Connection:\tUPGRADE\t\r\nUpgrade: TLS/1.2\r\nUpgrade: h2c",
    b"Connection: upgrade\r\nUpgrade: websocket2, websocket/13",
    b"Proxy-Connection: upgrade\r\nUpgrade: websocket",
    b"Connection: keep-alive\r\nUpgrade: websocket",
    b"Connection: upgrade\r\nUpgrade:",
]


class Impatient(DeadlineHttpProtocol):
    receive_timeout = 0.3
    linger_timeout = 0.3


class ImpatientWebSocket(BoundedWebSocketProtocol):
    linger_timeout = 0.1


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(scope="module")
def server(recorder: Recorder) -> Iterator[Served]:
    with serve_asgi(
        recorder, http=Impatient, ws=ImpatientWebSocket, ws_ping_interval=None
    ) as served:
        yield served


@pytest.fixture
def site(recorder: Recorder) -> Recorder:
    """Records the requests that reach the application during the test."""
    recorder.forget()
    return recorder


def request(
    *fields: bytes,
    method: bytes = b"POST",
    target: bytes = b"/first",
    version: str = "1.1",
) -> bytes:
    line = b"%b %b HTTP/%b" % (method, target, version.encode())
    return b"\r\n".join([line, b"Host: site", *fields, b"", b""])


FRAMINGS = [
    pytest.param(b"Content-Length: %d" % len(INSIDE), INSIDE, id="length"),
    pytest.param(b"Transfer-Encoding: chunked", CHUNKED, id="chunks"),
]


@pytest.mark.parametrize("offer", DECLINED)
@pytest.mark.parametrize(("framing", "body"), FRAMINGS)
def test_a_declined_upgrade_keeps_its_body_and_the_requests_after_it(
    server: Served, site: Recorder, offer: bytes, framing: bytes, body: bytes
) -> None:
    first = request(offer, framing)

    at_once = statuses(server, first + body + BEHIND)
    apart = statuses(server, first, body, BEHIND)

    assert at_once == apart == [200, 200]
    assert site.asked == [("POST /first", INSIDE), ("GET /behind", b"")] * 2


@pytest.mark.parametrize(("framing", "body"), FRAMINGS)
def test_a_declined_upgrade_may_be_split_at_any_byte(
    server: Served, site: Recorder, framing: bytes, body: bytes
) -> None:
    # In the last byte of the head, around it, and in the body's framing.
    sent = request(DECLINED[0], framing) + body + BEHIND
    head = sent.index(b"\r\n\r\n") + 4
    cuts = [20, head - 30, *range(head - 5, head + 6), head + len(body) - 1]

    for cut in cuts:
        assert statuses(server, sent[:cut], sent[cut:]) == [200, 200]

    assert site.asked == [("POST /first", INSIDE), ("GET /behind", b"")] * len(cuts)


def test_a_declined_upgrade_may_arrive_byte_by_byte(
    server: Served, site: Recorder
) -> None:
    sent = request(DECLINED[0], b"Content-Length: 3") + b"abc" + BEHIND
    with socket.create_connection((server.host, server.port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sent:
            client.send(bytes([byte]))
        answers = b"".join(iter(lambda: client.recv(65536), b""))

    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert site.asked == [("POST /first", b"abc"), ("GET /behind", b"")]


def test_many_declined_upgrades_in_a_row_are_all_answered(
    server: Served, site: Recorder
) -> None:
    one = request(DECLINED[0], b"Content-Length: 3") + b"abc"

    answers = statuses(server, one * 300 + BEHIND)

    assert answers == [200] * 301
    assert len(site.asked) == 301


def test_a_declined_upgrade_with_connection_close_closes_the_connection(
    server: Served, site: Recorder
) -> None:
    first = request(
        b"Connection: close, upgrade", b"Upgrade: foo", b"Content-Length: 3"
    )

    assert statuses(server, first + b"abc" + INSIDE) == [200]
    assert site.asked == [("POST /first", b"abc")]


def test_the_application_does_not_see_a_declined_upgrade(
    server: Served, site: Recorder
) -> None:
    statuses(server, request(DECLINED[0], b"X-Other: 1", method=b"GET") + BEHIND)

    assert site.headers[0] == [
        (b"host", b"site"),
        (b"connection", b"upgrade"),
        (b"x-other", b"1"),
    ]


def test_a_client_that_offers_an_upgrade_may_wait_for_100_continue(
    server: Served, site: Recorder
) -> None:
    first = request(DECLINED[1], b"Expect: 100-continue", b"Content-Length: 3")

    answers = statuses(server, first, b"abc", BEHIND)

    assert answers == [100, 200, 200]
    assert site.asked[0] == ("POST /first", b"abc")


def test_the_body_of_a_declined_upgrade_has_its_deadline(
    server: Served, site: Recorder
) -> None:
    assert statuses(server, request(DECLINED[0], b"Content-Length: 3"), b"a") == [408]
    assert site.asked == []


def test_a_malformed_body_of_a_declined_upgrade_is_refused(
    server: Served, site: Recorder
) -> None:
    first = request(DECLINED[0], b"Transfer-Encoding: chunked")

    assert statuses(server, first + b"nonsense\r\n" + INSIDE) == [400]
    assert site.asked == []


def test_http_1_0_has_no_upgrade(server: Served, site: Recorder) -> None:
    first = request(WEBSOCKET, method=b"GET", version="1.0")

    answer = exchange(server, first)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert site.asked == [("GET /first", b"")]


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Content-Length: %d" % len(INSIDE), INSIDE),
        (b"Content-Length: 00%d" % len(INSIDE), INSIDE),
        (b"Transfer-Encoding: chunked", CHUNKED),
        (b"Transfer-Encoding: chunked", b"0\r\n\r\n" + INSIDE),
        (b"Expect: 100-continue\r\nContent-Length: %d" % len(INSIDE), INSIDE),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_websocket_handshake_with_a_body_is_refused(
    server: Served, site: Recorder, method: bytes, fields: bytes, body: bytes
) -> None:
    handshake = request(WEBSOCKET, fields, method=method)

    at_once = exchange(server, handshake + body + BEHIND)
    apart = exchange(server, handshake, body, BEHIND)

    for answer in (at_once, apart):
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"connection: close" in answer
        assert b"A WebSocket handshake has no body" in answer
        assert answer.count(b"HTTP/1.1") == 1
    assert site.asked == []


@pytest.mark.parametrize(
    "offer",
    [
        b"Connection: Upgrade\r\nConnection: keep-alive\r\nUpgrade: websocket",
        b"Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket",
        b"Connection: keep-alive ,\tUPGRADE \r\nUpgrade: WebSocket\t ",
        b"Connection: upgrade\r\nUpgrade: websocket, foo",
        b"Connection: upgrade\r\nUpgrade: h2c, websocket",
        b"Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade:\twebsocket",
        b"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0",
    ],
)
def test_a_websocket_is_opened_by_every_valid_handshake(
    server: Served, site: Recorder, offer: bytes
) -> None:
    rest = WEBSOCKET.partition(b"websocket\r\n")[2]

    answer = exchange(server, request(offer, rest, method=b"GET", target=b"/socket"))

    assert answer.startswith(b"HTTP/1.1 101 ")
    assert site.asked == [("websocket /socket", b"")]


@pytest.mark.parametrize(
    ("method", "key", "status"), [(b"PUT", True, 405), (b"GET", False, 400)]
)
def test_an_incomplete_handshake_is_refused_with_what_it_lacks(
    server: Served, site: Recorder, method: bytes, key: bool, status: int
) -> None:
    offer = WEBSOCKET if key else WEBSOCKET.rpartition(b"\r\n")[0]

    answers = statuses(server, request(offer, method=method), BEHIND)

    assert answers == [status]
    assert site.asked == []


def test_a_handshake_after_a_request_is_refused_after_its_response(
    server: Served, site: Recorder
) -> None:
    first = request(b"Content-Length: 3") + b"abc"

    assert statuses(server, first + request(WEBSOCKET, method=b"GET")) == [200, 400]
    assert site.asked == [("POST /first", b"abc")]


@pytest.mark.parametrize("target", [b"site:80", b"/first", b"http://site/"])
@pytest.mark.parametrize(("framing", "body"), FRAMINGS)
def test_a_connect_request_is_refused_and_its_data_is_not_parsed(
    server: Served, site: Recorder, target: bytes, framing: bytes, body: bytes
) -> None:
    head = request(framing, method=b"CONNECT", target=target)

    assert statuses(server, head + body + BEHIND) == [501]
    assert statuses(server, head, body, BEHIND) == [501]
    assert site.asked == []
