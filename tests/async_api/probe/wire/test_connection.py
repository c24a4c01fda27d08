"""A probe reports what a target does to a connection, and sends nothing twice."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from async_api.outbound.failures import FailureKind
from benchmarks.servers.flood import FLOODS, flooding
from tests.async_api.probe.test_engine import only_sample, run
from tests.support.raw_target import RawConnection, RawTarget, Script
from tests.support.site import ROOT, SECONDS_TO_WAIT

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n"
REQUESTS = 20


def answering(*responses: bytes) -> Script:
    """A script that sends these responses in turn, and then repeats the last one."""

    def script(connection: RawConnection) -> None:
        number = 0
        while connection.request() is not None:
            connection.write(responses[min(number, len(responses) - 1)])
            number += 1

    return script


# A target that closes a connection it promised to keep


@pytest.mark.parametrize("concurrency", [1, 5])
async def test_a_connection_closed_between_requests_does_not_fail_a_request(
    concurrency: int,
) -> None:
    def script(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.write_last(OK)

    with RawTarget(script) as target:
        done = await run(target.url, REQUESTS, concurrency)

        assert done.summary.statuses == {200: REQUESTS}
        assert done.summary.reconnects == REQUESTS - concurrency
        assert len(target.log) == REQUESTS
    assert any("promised to keep open" in note for note in done.verdict.notes)


@pytest.mark.parametrize("seconds", [0, 0.001, 0.01, 0.1])
@pytest.mark.parametrize("concurrency", [1, 5])
async def test_a_connection_closed_a_moment_later_fails_only_the_requests_under_way(
    seconds: float, concurrency: int
) -> None:
    def script(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.write(OK)
            connection.server.stopping.wait(seconds)

    with RawTarget(script) as target:
        done = await run(target.url, REQUESTS, concurrency)

        assert done.summary.answered == len(target.log)
    assert done.summary.failed <= concurrency
    assert set(done.summary.failures) <= {"disconnected"}


async def test_a_connection_reset_between_requests_does_not_fail_a_request() -> None:
    def script(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.write(OK)
            connection.reset()

    with RawTarget(script) as target:
        done = await run(target.url, REQUESTS, 1)

        assert len(target.log) == REQUESTS
    # One, if the target is suspended between the two.
    assert done.summary.failed <= 1


def test_a_tls_connection_closed_between_requests_does_not_fail_a_request(
    self_signed: ssl.SSLContext, tmp_path: Path
) -> None:
    def script(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.write_last(OK)

    with RawTarget(script, tls=self_signed) as target:
        # In a process of its own, because the trusted authorities are read once.
        done = subprocess.run(
            [sys.executable, "manage.py", "probe", f"https://localhost:{target.port}/"]
            + ["--requests", str(REQUESTS), "--concurrency", "1", "--json"],
            cwd=ROOT,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "async_views.settings",
                "SSL_CERT_FILE": str(tmp_path / "certificate.pem"),
            },
            capture_output=True,
            text=True,
        )

        assert len(target.log) == REQUESTS
    summary = json.loads(done.stdout)["summary"]
    assert summary["statuses"] == {"200": REQUESTS}
    assert summary["reconnects"] == REQUESTS - 1


async def test_an_expired_keep_alive_time_does_not_fail_a_request() -> None:
    # Closed long after the connection was kept, and while nothing was sent on it.
    closed = threading.Event()

    def script(connection: RawConnection) -> None:
        connection.socket.settimeout(0.2)
        try:
            while (head := connection.request()) is not None:
                if head.startswith(b"GET /other"):
                    # The first connection idles meanwhile, and is then closed.
                    closed.wait(SECONDS_TO_WAIT)
                    connection.write(OK)
                else:
                    connection.write(redirect)
        except TimeoutError:
            closed.set()

    with RawTarget(script) as other, RawTarget(script) as target:
        redirect = (
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b/other\r\n\r\n"
            % other.url.encode()
        )
        done = await run(target.url, 2, 1)

        assert done.summary.statuses == {200: 2}
        assert done.summary.reconnects >= 1
        assert len(target.log) == len(other.log) == 2


@pytest.mark.parametrize("reset", [False, True])
async def test_a_request_that_the_target_may_have_read_is_not_sent_again(
    reset: bool,
) -> None:
    # The first request of each connection is answered, the second one read and lost.
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(OK)
        connection.request()
        if reset:
            connection.reset()

    with RawTarget(script) as target:
        done = await run(target.url, REQUESTS, 1)

        assert done.summary.sent == len(target.log) == REQUESTS
    # From then on no connection is used twice, so that no second request is lost.
    assert done.summary.failures == {"disconnected": 1}
    assert done.summary.answered == REQUESTS - 1
    [failed] = [sample for sample in done.samples if sample.kind]
    assert "not sent again" in failed.message


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"H",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no",
        b"HTTP/1.1 102 Processing\r\n\r\n",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("first", [True, False])
async def test_a_response_that_breaks_off_is_a_failure_and_not_repeated(
    part: bytes, reset: bool, first: bool
) -> None:
    def script(connection: RawConnection) -> None:
        if not first:
            connection.request()
            connection.write(OK)
        connection.request()
        connection.write(part)
        if reset:
            connection.reset()

    with RawTarget(script) as target:
        done = await run(target.url, 10, 2)

        assert done.summary.sent == len(target.log) == 10
    assert done.summary.failed >= (10 if first else 1)
    assert set(done.summary.failures) == {"disconnected"}


async def test_a_target_that_closes_without_reading_gets_each_request_once() -> None:
    with RawTarget(lambda connection: None) as target:
        done = await run(target.url, 10, 2)

        assert target.log == []
        assert target.connections == 10
    assert done.summary.failures == {"disconnected": 10}


async def test_a_target_that_half_closes_and_keeps_reading_gets_nothing_twice() -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write_last(OK)
        while connection.request() is not None:
            pass

    with RawTarget(script) as target:
        done = await run(target.url, REQUESTS, 1)

        assert len(target.log) == done.summary.sent == REQUESTS
    assert done.summary.answered == REQUESTS


async def test_an_announced_close_does_not_count_as_a_reconnect() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with RawTarget(answering(closing)) as target:
        done = await run(target.url, 10, 2)

        assert target.connections == 10
    assert done.summary.reconnects == 0
    assert not any("promised to keep open" in note for note in done.verdict.notes)


# Bytes that do not belong to a response


@pytest.mark.parametrize(
    ("response", "extra", "status"),
    [
        (NO_CONTENT + b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n", 204),
        (NO_CONTENT + b"Content-Length: 4\r\n\r\n", b"body", 204),
        (NO_CONTENT + b"\r\n", b"body", 204),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", b"body", 304),
        (OK, b"EXTRA", 200),
        (OK, b"\r\n", 200),
        (OK, b"\x00" * 3000, 200),
    ],
)
@pytest.mark.parametrize("seconds", [0, 0.002, 0.02])
async def test_bytes_after_a_response_affect_neither_it_nor_the_next(
    response: bytes, extra: bytes, status: int, seconds: float
) -> None:
    def script(connection: RawConnection) -> None:
        while connection.request() is not None:
            if seconds:
                connection.write(response)
                connection.server.stopping.wait(seconds)
                connection.write(extra)
            else:
                connection.write(response, extra)

    with RawTarget(script) as target:
        done = await run(target.url, 5, 1)

        assert len(target.log) == 5
    assert done.summary.statuses == {status: 5}
    assert any("belong to no response" in note for note in done.verdict.notes)


async def test_unsolicited_responses_are_not_counted() -> None:
    with RawTarget(answering(OK * 5000)) as target:
        done = await run(target.url, 5, 1)

        assert len(target.log) == 5
    assert done.summary.statuses == {200: 5}


# Limits


async def test_endless_interim_responses_are_cut_off() -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        while True:
            connection.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)

    with RawTarget(script) as target:
        done = await run(target.url, 10, 10, timeout_seconds=5)

    assert done.summary.failures == {"too_large": 10}
    assert done.summary.wall_time < 4_000_000
    assert "16 interim responses" in done.samples[0].message


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_neither_outlasts_the_timeout_nor_blocks_the_loop(
    kind: str,
) -> None:
    longest = 0.0

    async def turn() -> None:
        nonlocal longest
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)

    with flooding(kind) as url:
        turning = asyncio.create_task(turn())
        done = await run(url, 100, 100, timeout_seconds=1)
        turning.cancel()

    assert done.summary.sent == 100
    # Generous, because the flood and other tests share the CPUs.
    assert done.summary.wall_time < 2_500_000
    # CPU time of one turn of the loop, in asyncio's debug mode.
    assert longest < 0.5


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Security-Policy: " + b"a" * 12_000 + b"\r\n",
        b"X: " + b"a" * 64 * 1024 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(250)),
    ],
)
async def test_a_large_header_is_not_a_failure(header: bytes) -> None:
    with RawTarget(
        answering(OK.replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n"))
    ) as it:
        done = await run(it.url, 4, 2)

    assert done.summary.statuses == {200: 4}


@pytest.mark.parametrize(
    ("header", "limit"),
    [
        (b"X: " + b"a" * 80_000 + b"\r\n", "header field of the response is larger"),
        (b"X: a\r\n" * 300, "header fields"),
    ],
)
async def test_a_header_beyond_our_limit_fails_with_a_message_that_the_limit_is_ours(
    header: bytes, limit: str
) -> None:
    with RawTarget(
        answering(OK.replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n"))
    ) as it:
        sample = await only_sample(it.url)

    assert sample.kind == FailureKind.TOO_LARGE
    assert limit in sample.message


# TLS


@pytest.mark.parametrize("reset", [True, False])
async def test_a_connection_that_ends_during_the_handshake_is_a_tls_failure(
    reset: bool,
) -> None:
    def script(connection: RawConnection) -> None:
        connection.socket.recv(1)
        if reset:
            connection.reset()

    with RawTarget(script) as target:
        sample = await only_sample(target.url.replace("http:", "https:"))

    assert sample.kind == FailureKind.TLS
    assert "Error" not in sample.message


# Redirects


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        (b"/wiki/A_%26_B", b"/wiki/A_%26_B"),
        (b"/?", b"/?"),
        (b"/a%40b?c=%2F&d=%26", b"/a%40b?c=%2F&d=%26"),
        (b"/\xc3\xbc", b"/%C3%BC"),
        (b"/\xfc", b"/%FC"),
        (b"/a b", b"/a%20b"),
        (b"/" + b"a" * 7999, b"/" + b"a" * 7999),
    ],
)
async def test_a_redirect_is_followed_to_the_exact_url(
    location: bytes, sent: bytes
) -> None:
    def script(connection: RawConnection) -> None:
        while (head := connection.request()) is not None:
            if head.startswith(b"GET /start "):
                connection.write(
                    b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n"
                    b"Location: %b\r\n\r\n" % location
                )
            else:
                connection.write(OK)

    with RawTarget(script) as target:
        sample = await only_sample(f"{target.url}/start")

        assert (sample.status, sample.redirects) == (200, 1)
        assert target.log[1].startswith(b"GET %b HTTP/1.1\r\n" % sent)


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("OPTIONS", 303, b"GET"),
        ("HEAD", 303, b"HEAD"),
        ("GET", 303, b"GET"),
        ("OPTIONS", 302, b"OPTIONS"),
        ("OPTIONS", 308, b"OPTIONS"),
    ],
)
async def test_a_303_is_followed_with_get(
    method: str, status: int, then: bytes
) -> None:
    see_other = b"HTTP/1.1 %d See\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n" % status
    with RawTarget(answering(see_other, OK.removesuffix(b"ok"))) as target:
        await run(target.url, 1, 1, method=method, timeout_seconds=0.5)

        assert target.log[1].startswith(then + b" /b ")


async def test_a_redirect_without_a_location_is_a_response() -> None:
    found = b"HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n"
    with RawTarget(answering(found)) as target:
        sample = await only_sample(target.url)

    assert (sample.status, sample.redirects) == (302, 0)
