"""Every WebSocket ends as RFC 6455 specifies, and in time, whatever its client does."""

import json
import logging
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from async_views.runtime.asgi.types import Receive, Send
from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from async_views.runtime.server.websocket_protocol import BoundedWebSocketProtocol
from tests.runtime.server import sockets
from tests.runtime.server.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    HANDSHAKE,
    PING,
    PONG,
    TEXT,
    Frame,
    RawWebSocket,
    close,
    frame,
    raw_websocket,
)
from tests.support.servers import Served, serve_asgi
from tests.support.site import PATIENCE, SECONDS_TO_WAIT, Site

LARGEST = 4096
FRAGMENTS = 20


class Impatient(BoundedWebSocketProtocol):
    stall_timeout = 0.3
    linger_timeout = 0.3
    max_fragments = FRAGMENTS
    error_headers = [(b"x-content-type-options", b"nosniff")]


@pytest.fixture(params=["asyncio", "uvloop"])
def server(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[Served]:
    """A server that logs no warnings: all errors in these tests are the client's."""
    with serve_asgi(
        sockets.application,
        http=DeadlineHttpProtocol,
        ws=Impatient,
        loop=request.param,
        ws_max_size=LARGEST,
        ws_ping_interval=None,
    ) as served:
        yield served
    # asyncio also warns of callbacks that a busy machine made slow.
    least = {"asyncio": logging.ERROR}
    assert not [
        each
        for each in caplog.get_records("call")
        if each.levelno >= least.get(each.name, logging.WARNING)
    ]


@contextmanager
def opened(server: Served | Site, path: str = "/echo") -> Iterator[RawWebSocket]:
    host = server.host if isinstance(server, Served) else "127.0.0.1"
    with raw_websocket(host, server.port, receive_buffer=4096) as client:
        client.handshake(path)
        yield client


@pytest.fixture
def hesitating(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the application has been called at /hesitate."""
    asked = threading.Event()

    async def hesitate(receive: Receive, send: Send) -> None:
        asked.set()
        await sockets.hesitate(receive, send)

    monkeypatch.setitem(sockets.conversations, "/hesitate", hesitate)
    return asked


# --- Valid frames ---

FRAGMENTED = [
    frame(TEXT, b"one ", fin=False),
    frame(CONTINUATION, b"two ", fin=False),
    frame(CONTINUATION, b"three"),
]


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        pytest.param(frame(TEXT, b"text"), Frame(TEXT, b"text"), id="text"),
        pytest.param(frame(BINARY, b"\xff"), Frame(BINARY, b"\xff"), id="binary"),
        pytest.param(frame(TEXT), Frame(TEXT, b""), id="empty"),
        pytest.param(
            frame(TEXT, b"x" * 126), Frame(TEXT, b"x" * 126), id="two-byte length"
        ),
        pytest.param(
            frame(TEXT, b"x" * LARGEST), Frame(TEXT, b"x" * LARGEST), id="largest"
        ),
        pytest.param(
            b"".join(FRAGMENTED), Frame(TEXT, b"one two three"), id="fragmented"
        ),
        pytest.param(
            frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82\xac"),
            Frame(TEXT, b"\xe2\x82\xac"),
            id="character in two fragments",
        ),
        pytest.param(
            frame(TEXT, fin=False)
            + frame(CONTINUATION, fin=False) * (FRAGMENTS - 2)
            + frame(CONTINUATION, b"end"),
            Frame(TEXT, b"end"),
            id="most fragments",
        ),
        pytest.param(
            frame(PONG, b"unasked") + frame(TEXT, b"text"),
            Frame(TEXT, b"text"),
            id="unsolicited pong",
        ),
        pytest.param(
            frame(PING, b"p" * 125), Frame(PONG, b"p" * 125), id="largest ping"
        ),
        pytest.param(frame(PING), Frame(PONG, b""), id="empty ping"),
    ],
)
def test_valid_frames_are_answered_however_they_are_split(
    server: Served, sent: bytes, echoed: Frame
) -> None:
    with opened(server) as client:
        client.send(sent)
        whole = client.receive()
        for byte in sent[:600]:
            client.send(bytes([byte]))
        client.send(sent[600:])
        cut = client.receive()

    assert (whole, cut) == (echoed, echoed)


def test_a_ping_within_a_message_is_answered(server: Served) -> None:
    with opened(server) as client:
        client.send(frame(PING, b"now").join(FRAGMENTED))
        received = [client.receive() for _ in range(3)]

    pong = Frame(PONG, b"now")
    assert received == [pong, pong, Frame(TEXT, b"one two three")]


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4000, 4999]
)
def test_a_close_is_answered_with_its_own_code(server: Served, code: int) -> None:
    with opened(server) as client:
        client.send(close(code, b"because"))

        assert client.close_code() == code


def test_a_close_without_a_code_gets_a_close_without_a_code(server: Served) -> None:
    with opened(server) as client:
        client.send(frame(CLOSE))

        assert client.close_code() == 1005


def test_frames_after_a_close_are_ignored(server: Served) -> None:
    with opened(server) as client:
        client.send(close(1000) + frame(TEXT, b"text") + frame(PING) + b"junk")

        assert client.receive() == Frame(CLOSE, struct.pack("!H", 1000))
        assert client.receive() is None


# --- Invalid frames ---


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(frame(TEXT, b"text", masked=False), 1002, id="unmasked"),
        *(
            pytest.param(frame(TEXT, reserved=bit), 1002, id=f"reserved bit {bit}")
            for bit in (4, 2, 1)
        ),
        *(
            pytest.param(frame(opcode), 1002, id=f"opcode {opcode}")
            for opcode in (3, 7, 11, 15)
        ),
        pytest.param(frame(PING, fin=False), 1002, id="fragmented ping"),
        pytest.param(frame(PING, b"p" * 126), 1002, id="large ping"),
        pytest.param(frame(CONTINUATION, b"more"), 1002, id="continuation of nothing"),
        pytest.param(
            frame(TEXT, b"one", fin=False) + frame(TEXT, b"two"),
            1002,
            id="message in a message",
        ),
        pytest.param(
            frame(TEXT, b"one", fin=False) + close(1000), 1002, id="close in a message"
        ),
        pytest.param(frame(CLOSE, b"\x03"), 1002, id="close with half a code"),
        *(
            pytest.param(close(code), 1002, id=f"close with {code}")
            for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)
        ),
        pytest.param(close(1000, b"\xff"), 1007, id="reason not UTF-8"),
        pytest.param(frame(TEXT, b"\xc3("), 1007, id="text not UTF-8"),
        pytest.param(
            frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"x"),
            1007,
            id="fragments not UTF-8",
        ),
        pytest.param(
            frame(TEXT, b"\xff") + frame(PING) + frame(TEXT, b"\xff"),
            1007,
            id="text not UTF-8, twice, with a ping between",
        ),
        pytest.param(frame(TEXT, b"x" * (LARGEST + 1)), 1009, id="one byte too large"),
        pytest.param(
            frame(TEXT, b"x" * LARGEST, fin=False) + frame(CONTINUATION, b"x"),
            1009,
            id="fragments too large",
        ),
        pytest.param(frame(BINARY, length=2**63 - 1), 1009, id="claimed too large"),
        pytest.param(frame(BINARY, b"x" * 2**20), 1009, id="much too large"),
        pytest.param(
            frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * FRAGMENTS,
            1009,
            id="too many fragments",
        ),
        pytest.param(bytes(range(16)) * 100, 1002, id="junk"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 1002, id="HTTP"),
    ],
)
def test_an_invalid_frame_closes_the_socket_with_the_right_code(
    server: Served, sent: bytes, code: int
) -> None:
    with opened(server) as client:
        client.send(sent)

        assert client.close_code() == code


def test_the_server_does_not_wait_for_a_client_after_a_failure(server: Served) -> None:
    with opened(server) as client:
        client.send(b"junk")

        # The client neither closes the socket nor stops sending.
        deadline = time.monotonic() + SECONDS_TO_WAIT
        with pytest.raises(ConnectionError):
            while time.monotonic() < deadline:
                client.send(b"junk" * 1000)


def test_a_half_closed_connection_ends_the_socket(server: Served) -> None:
    with opened(server) as client:
        client.connection.shutdown(socket.SHUT_WR)

        assert client.receive() is None


# --- Handshakes ---


@pytest.mark.parametrize(
    ("handshake", "status", "detail"),
    [
        pytest.param(
            (HANDSHAKE % (b"/echo", b"")).replace(b"dGhl", b"dG"),
            400,
            "Failed to open a WebSocket connection: invalid Sec-WebSocket-Key header: ",
            id="bad key",
        ),
        pytest.param(
            (HANDSHAKE % (b"/echo", b"")).replace(
                b"Sec-WebSocket-Version: 13\r\n", b""
            ),
            400,
            "Failed to open a WebSocket connection: missing Sec-WebSocket-Version",
            id="no version",
        ),
        pytest.param(
            (HANDSHAKE % (b"/echo", b"")).replace(b"GET", b"PUT"),
            405,
            "Failed to open a WebSocket connection: ",
            id="bad method",
        ),
        pytest.param(
            HANDSHAKE % (b"/echo", b"Cookie: " + b"x" * 10_000 + b"\r\n"),
            431,
            "Failed to open a WebSocket connection: ",
            id="large field",
        ),
        pytest.param(
            HANDSHAKE % (b"/echo", b"X: y\r\n" * 200),
            431,
            "Failed to open a WebSocket connection: ",
            id="many fields",
        ),
        pytest.param(
            HANDSHAKE % (b"/" + b"x" * 10_000, b""),
            414,
            "Failed to open a WebSocket connection: ",
            id="large target",
        ),
        pytest.param(
            HANDSHAKE % (b"/echo", b"") + frame(TEXT, b"early"),
            400,
            "Frames came before the handshake was complete.",
            id="early frame",
        ),
        pytest.param(
            HANDSHAKE % (b"/refuse", b""),
            403,
            "This WebSocket is refused.",
            id="refused by the application",
        ),
    ],
)
def test_a_refused_handshake_gets_the_reason(
    server: Served, handshake: bytes, status: int, detail: str
) -> None:
    with raw_websocket(server.host, server.port) as client:
        client.send(handshake)
        given, fields, body = client.refusal()
        after = client.connection.recv(1)

    problem = json.loads(body)
    assert (given, after) == (status, b"")
    assert problem["status"] == status
    assert problem["detail"].startswith(detail)
    assert fields["content-type"] == "application/problem+json"
    assert fields["content-length"] == str(len(body))
    assert fields["x-content-type-options"] == "nosniff"
    assert fields["connection"] == "close"


@pytest.mark.parametrize("version", ["8", "14", "013", "13, 8", "none"])
def test_another_protocol_version_is_refused_with_the_supported_one(
    server: Served, version: str
) -> None:
    handshake = HANDSHAKE % (b"/echo", b"")
    with raw_websocket(server.host, server.port) as client:
        client.send(handshake.replace(b"Version: 13", f"Version: {version}".encode()))
        status, fields, body = client.refusal()

    assert status == 426
    assert fields["sec-websocket-version"] == "13"
    assert fields["upgrade"] == "websocket"
    assert json.loads(body)["detail"] == (
        f"Sec-WebSocket-Version is {version!r}: it should be 13."
    )


def test_a_target_that_is_not_ascii_is_refused(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with raw_websocket(server.host, server.port) as client:
        client.send(HANDSHAKE % (b"/\xff", b""))

        assert client.refusal()[0] == 400

    # The warning is the same as for any request that is not HTTP.
    assert [each.message for each in caplog.records if each.levelname == "WARNING"] == [
        "Invalid HTTP request received."
    ]
    caplog.clear()


def test_an_application_may_deny_a_handshake_without_a_complaint_in_the_log(
    server: Served,
) -> None:
    with raw_websocket(server.host, server.port) as client:
        client.send(HANDSHAKE % (b"/deny", b""))
        status, fields, body = client.refusal()

    assert (status, fields["retry-after"], body) == (503, "7", b"No.")


def test_frames_before_the_handshake_is_accepted_end_it(
    server: Served, hesitating: threading.Event
) -> None:
    with raw_websocket(server.host, server.port) as client:
        client.send(HANDSHAKE % (b"/hesitate", b""))
        assert hesitating.wait(SECONDS_TO_WAIT)
        client.send(frame(PING) + b"junk")

        assert client.refusal()[0] == 400


def test_a_socket_that_opens_and_closes_logs_nothing(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "uvicorn.error")
    caplog.clear()

    with opened(server) as client:
        client.send(close(1000))
        client.close_code()

    assert caplog.messages == []


# --- Clients that do not read ---

PINGING = {"SOCKET_PING_SECONDS": "0.2", "SOCKET_SECONDS": "0.5"}
STALLING = {"SOCKET_PING_SECONDS": "3600", "SOCKET_SECONDS": "0.5"}
PATIENT = {"SOCKET_PING_SECONDS": "3600", "SOCKET_SECONDS": "3600"}


@contextmanager
def serving(settings: dict[str, str]) -> Iterator[Site]:
    """A worker that logs no errors, whatever its clients do, and shuts down in order."""
    with Site("tests.runtime.server.sockets:application", **settings) as site:
        yield site
    assert "Traceback" not in site.output
    assert "[ERROR]" not in site.output
    assert "The lifespan ended." in site.output


@pytest.mark.parametrize("settings", [STALLING, {**PATIENT, **PINGING}])
def test_a_client_that_stops_reading_is_disconnected(settings: dict[str, str]) -> None:
    with serving(settings) as site, opened(site, "/flood"):
        site.wait_until(lambda site: "Not read after" in site.output)
        stuck = time.monotonic()
        site.wait_until(lambda site: "The flood has ended." in site.output)

        assert time.monotonic() - stuck < 3 * PATIENCE


def test_a_client_that_falls_behind_and_keeps_reading_is_not_cut_off() -> None:
    with serving(STALLING) as site, opened(site, "/flood") as client:
        for _ in range(2):
            site.wait_until(lambda site: "Not read after" in site.output)
            site.lines.clear()
            until = time.monotonic() + 1
            while time.monotonic() < until:
                assert client.receive() == Frame(TEXT, b"x" * 1024)
        # The server reads from the client again, too.
        client.send(frame(PING))
        while client.receive() != Frame(PONG, b""):
            pass


def test_a_client_that_answers_no_ping_is_closed_with_1011() -> None:
    with serving(PINGING) as site, opened(site) as client:
        assert client.close_code() == 1011


def test_a_client_that_answers_pings_stays_connected() -> None:
    with serving(PINGING) as site, opened(site) as client:
        for _ in range(5):
            ping = client.receive()
            assert ping and ping.opcode == PING
            client.send(frame(PONG, ping.payload))
        client.send(frame(TEXT, b"still here"))

        assert client.receive() == Frame(TEXT, b"still here")


@pytest.mark.parametrize(
    "answer",
    [
        lambda payload: frame(PONG, payload[::-1] + b"\0"),
        lambda payload: frame(PONG, bytes(byte ^ 1 for byte in payload)),
        lambda payload: frame(PING, payload),
        lambda payload: frame(BINARY, payload),
    ],
    ids=["longer", "another's", "a ping", "a message"],
)
def test_a_pong_with_other_data_does_not_answer_a_ping(
    answer: Callable[[bytes], bytes],
) -> None:
    with serving(PINGING) as site, opened(site) as client:
        ping = client.receive()
        assert ping and ping.opcode == PING
        client.send(answer(ping.payload))

        assert client.close_code() == 1011


def test_data_that_looks_like_a_pong_remains_part_of_its_message() -> None:
    with serving({**PINGING, "SOCKET_SECONDS": "5"}) as site, opened(site) as client:
        ping = client.receive()
        assert ping and ping.opcode == PING
        pong = frame(PONG, ping.payload)
        # Masked by zeros, so that it looks the same.
        head = bytes([0x80 | BINARY, 0x80 | len(pong)]) + bytes(4)
        client.send(frame(PING) + head)
        assert client.receive() == Frame(PONG, b"")
        client.send(pong)

        assert client.receive() == Frame(BINARY, pong)


def test_a_client_that_does_not_read_pongs_is_no_longer_read() -> None:
    with serving(PATIENT) as site, opened(site) as client:
        [worker] = site.workers()
        before = worker.memory_info().rss
        client.connection.settimeout(1)
        with pytest.raises(TimeoutError):
            while True:
                client.send(frame(PING, b"p" * 125) * 1000)

        assert worker.memory_info().rss - before < 10 * 2**20


def test_the_kernel_drops_a_client_that_acknowledges_nothing() -> None:
    with serving(PATIENT) as site:
        with opened(site):
            pass  # A connection made before the worker has started does not inherit it.

        with opened(site, "/options") as client:
            assert client.receive() == Frame(TEXT, b"{30000}")


# --- The end of the worker ---


def brim(site: Site) -> int:
    """The KiB that can be sent to a client that does not read before the buffer is full."""
    with opened(site, "/flood"):
        site.wait_until(lambda site: "Not read after" in site.output)
    [kibibytes] = re.findall(r"Not read after (\d+) KiB", site.output)
    site.lines.remove(f"Not read after {kibibytes} KiB.\n")
    return int(kibibytes)


def test_a_half_closed_connection_ends_a_client_that_does_not_read() -> None:
    with serving(PATIENT) as site:
        kibibytes = brim(site)
        with opened(site, "/fill") as client:
            client.send(frame(TEXT, b"%d" % (kibibytes - 30)))
            site.wait_until(lambda site: "Filled." in site.output)
            client.connection.shutdown(socket.SHUT_WR)
            shut = time.monotonic()
            site.wait_until(lambda site: "The filled client has left." in site.output)

            assert time.monotonic() - shut < 3 * PATIENCE


def test_sigterm_ends_every_socket_whatever_its_client_does() -> None:
    with serving(PATIENT) as site, ExitStack() as clients:
        kibibytes = brim(site)
        reading = [clients.enter_context(opened(site)) for _ in range(20)]
        clients.enter_context(opened(site, "/flood"))
        site.wait_until(lambda site: "Not read after" in site.output)
        # With a buffer that is neither empty nor full, the client's close frame is read.
        left = clients.enter_context(opened(site, "/fill"))
        left.send(frame(TEXT, b"%d" % (kibibytes - 30)))
        site.wait_until(lambda site: "Filled." in site.output)
        left.send(close(1000))
        hesitating = clients.enter_context(raw_websocket("127.0.0.1", site.port))
        hesitating.send(HANDSHAKE % (b"/hesitate", b""))
        site.wait_until(lambda site: "Hesitating." in site.output)
        beginning = clients.enter_context(raw_websocket("127.0.0.1", site.port))
        beginning.send(b"GET /echo HT")
        # Once the last client has a response, the others' data has been read too.
        reading[-1].send(frame(PING))
        reading[-1].receive()

        site.terminate()
        stopped = time.monotonic()
        codes = [client.close_code() for client in reading]
        closed_seconds = time.monotonic() - stopped
        refused, fields, _ = hesitating.refusal()
        status = site.wait()
        exited_seconds = time.monotonic() - stopped

    assert codes == [1012] * 20
    assert (refused, fields["retry-after"]) == (503, "5")
    assert status == 0
    assert closed_seconds < 2 * PATIENCE
    assert exited_seconds < 5 * PATIENCE
