"""A connection reports one exchange after another, and sends nothing twice."""

import asyncio
import itertools
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.load.plan.plan import Checks
from async_api.load.recording import FailedCheck, Outcome
from async_api.load.wire.connection import MAX_INTERIM_RESPONSES, Connection
from tests.async_api.load.wire.client import (
    LIMITS,
    SECONDS,
    Facts,
    Run,
    connected,
    dialler,
    facts_of,
    request,
)
from tests.support.raw_target import RawConnection, RawTarget, Script

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"


def answering(*responses: bytes) -> Script:
    """A script that answers with each in turn, and then closes the connection."""

    def script(connection: RawConnection) -> None:
        for response in responses:
            if connection.request() is None:
                return
            connection.write(response)

    return script


def exchanged(run: Run, script: Script, method: str = "GET") -> tuple[Facts, RawTarget]:
    """The facts of one request to a target, which received it exactly once."""
    facts: list[Facts] = []
    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                facts.append(await client.exchange(request(target.url, method)))

        run(main())
    assert len(target.log) == 1
    return facts[0], target


# Responses


@pytest.mark.parametrize(
    ("response", "status", "size", "usable"),
    [
        (OK, 200, 2, True),
        (HEAD + b"Content-Length: 0\r\n\r\n", 200, 0, True),
        (HEAD + b"Content-Length: 2, 2\r\ncontent-length: 2\r\n\r\nok", 200, 2, True),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", 503, 2, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, 0, True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, 0, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, 0, True),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, 0, False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, 2, True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + OK, 200, 2, True),
        (HEAD + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\nok", 200, 2, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2, False),
        (
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            200,
            2,
            True,
        ),
        (HEAD + b"\r\nuntil the end", 200, 13, False),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\nuntil the end", 200, 13, False),
        (b"HTTP/1.1 200\nContent-Length: 2\n\nok", 200, 2, True),
        (HEAD + b"X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\nok", 200, 2, True),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            200,
            2,
            True,
        ),
        (
            HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
            b'2;a=b;c="d"\r\nok\r\nA ;x\r\n0123456789\r\n000\r\nTrailer: x\r\n\r\n',
            200,
            12,
            True,
        ),
        (
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            200,
            2,
            False,
        ),
    ],
)
def test_a_response_ends_where_its_framing_says(
    run: Run, response: bytes, status: int, size: int, usable: bool
) -> None:
    facts, _ = exchanged(run, answering(response))

    assert (facts.outcome, facts.size, facts.message) == (status, size, "")
    assert facts.usable is usable
    assert not facts.stray


def test_a_response_to_head_has_no_body(run: Run) -> None:
    response = HEAD + b"Content-Length: 5000000\r\n\r\n"

    facts, _ = exchanged(run, answering(response), "HEAD")

    assert (facts.outcome, facts.size, facts.usable) == (200, 0, True)


def test_a_redirect_and_the_servers_own_times_are_noted(run: Run) -> None:
    response = (
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nServer-Timing: db;dur=2\r\n"
        b"server-timing: app;dur=3\r\nContent-Length: 0\r\n\r\n"
    )

    facts, _ = exchanged(run, answering(response))

    assert (facts.outcome, facts.redirect) == (302, True)
    assert facts.server_timing == "db;dur=2, app;dur=3"


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "it begins with “SSH-2.0-OpenSSH”"),
        (b"HTTP/2 200\r\n\r\n", "its first line is “HTTP/2 200”"),
        (b"HTTP/1.1 99 Low\r\n\r\n", "its first line is “HTTP/1.1 99 Low”"),
        (b"HTTP/1.1 600 High\r\n\r\n", "a status from 100 to 599"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "its first line"),
        (HEAD + b"Content Length: 1\r\n\r\n", "“Content Length: 1” is not a header"),
        (HEAD + b"Content-Length : 1\r\n\r\n", "is not a header"),
        (HEAD + b"X: a\0b\r\n\r\n", "is not a header"),
        (HEAD + b"X: a\rContent-Length: 1\r\n\r\n", "is not a header"),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na", "“1, 2”"),
        (HEAD + b"Content-Length: +1\r\n\r\na", "its Content-Length is “+1”"),
        (HEAD + b"Content-Length:\r\n\r\na", "its Content-Length is “”"),
        (
            HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            "unclear where it ends",
        ),
        (HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n", "not the last coding"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", "“-1” is not the size"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\nx", "“1” is not the size"),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
            "longer than it said",
        ),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nno field\r\n\r\n",
            "“no field” is not a header",
        ),
    ],
)
def test_what_is_not_http_is_a_failure_that_shows_it(
    run: Run, response: bytes, said: str
) -> None:
    facts, _ = exchanged(run, answering(response))

    assert facts.outcome == Outcome.INVALID_RESPONSE
    assert said in facts.message
    assert not facts.usable


@pytest.mark.parametrize(
    ("beginning", "endless", "said"),
    [
        (HEAD, b"X: y\r\n" * 100, "header is larger than 8,192 bytes"),
        (HEAD + b"X: ", b"y" * 1000, "header is larger than 8,192 bytes"),
        (b"", b"HTTP/1.1 103 Hints\r\n\r\n", f"than {MAX_INTERIM_RESPONSES} interim"),
        (HEAD + b"\r\n", b"y" * 10_000, "body is larger than 1,000,000 bytes"),
        (HEAD + b"Content-Length: 1000001\r\n\r\n", b"", "larger than 1,000,000 bytes"),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1\r\ny\r\n" * 1000,
            "body is larger than 1,000,000 bytes",
        ),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1;" + b"y" * 1000,
            "longer than 4,096 bytes",
        ),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: y\r\n" * 100,
            "header is larger than 8,192 bytes",
        ),
    ],
)
def test_an_endless_response_passes_a_limit_of_this_site(
    run: Run, beginning: bytes, endless: bytes, said: str
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(beginning)
        while endless:
            connection.write(endless)
        connection.request()

    facts, _ = exchanged(run, script)

    assert facts.outcome == Outcome.TOO_LARGE
    assert said in facts.message
    assert "a limit of this site" in facts.message


# The end of a connection


def closing(connection: RawConnection) -> None:
    connection.socket.close()


def shutting_down(connection: RawConnection) -> None:
    connection.socket.shutdown(socket.SHUT_WR)


def half_closing(connection: RawConnection) -> None:
    shutting_down(connection)
    connection.request()  # reads on, until the client closes


def resetting(connection: RawConnection) -> None:
    connection.reset()


@pytest.mark.parametrize(
    ("end", "verb"),
    [(closing, "closed"), (half_closing, "closed"), (resetting, "reset")],
)
@pytest.mark.parametrize(
    ("part", "size", "where"),
    [
        (b"", 0, "before its response began"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0, "before its response began"),
        (b"HTTP/1.1 200 OK\r\nContent-", 0, "in the middle of the response's header"),
        (HEAD + b"Content-Length: 5\r\n\r\nok", 2, "in the middle of the body"),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
            2,
            "in the middle of the body",
        ),
    ],
)
def test_a_connection_that_ends_too_early_is_a_failure_and_nothing_is_sent_again(
    run: Run,
    end: Callable[[RawConnection], None],
    verb: str,
    part: bytes,
    size: int,
    where: str,
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(part)
        end(connection)

    facts, target = exchanged(run, script)

    assert facts.outcome == Outcome.DISCONNECTED
    assert facts.size == size
    assert facts.message == f"The target {verb} the connection {where}."
    assert target.connections == 1


def test_a_body_that_ends_with_the_connection_is_not_ended_by_a_reset(
    run: Run,
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(HEAD, b"\r\nhalf")
        connection.reset()

    facts, _ = exchanged(run, script)

    assert (facts.outcome, facts.size) == (Outcome.DISCONNECTED, 4)


@pytest.mark.parametrize("end", [closing, half_closing, resetting])
def test_a_connection_closed_while_idle_is_lost_and_not_a_failure(
    run: Run, end: Callable[[RawConnection], None]
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(OK)
        arrived.wait(SECONDS)
        end(connection)

    arrived = threading.Event()
    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                facts = await client.exchange(request(target.url))
                arrived.set()
                await client.closing()

                assert facts.usable
                assert client.connection.lost
                assert not client.connection.usable
                assert not client.connection.send(request(target.url))
                assert len(client.ended) == 1

        run(main())
    assert len(target.log) == 1


@pytest.mark.parametrize("end", [closing, shutting_down, resetting])
def test_a_close_that_the_event_loop_has_not_seen_yet_is_seen_before_the_send(
    run: Run, end: Callable[[RawConnection], None]
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(OK)
        arrived.wait(SECONDS)
        end(connection)
        over.set()
        connection.server.stopping.wait(SECONDS)

    arrived, over = threading.Event(), threading.Event()
    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                await client.exchange(request(target.url))
                arrived.set()
                assert over.wait(SECONDS)  # the loop stands still

                assert not client.connection.send(request(target.url))
                assert client.connection.lost
                assert not client.connection.stray

        run(main())
    assert len(target.log) == 1


def test_a_response_that_arrives_with_the_end_is_followed_by_no_request(
    run: Run,
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write_last(OK)
        connection.server.stopping.wait(SECONDS)

    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                client.next_request = request(target.url)
                facts = await client.exchange(request(target.url))

                assert facts.outcome == 200
                assert client.resent == [False]
                assert client.connection.lost

        run(main())
        assert len(target.log) == 1


# Bytes that nobody asked for


@pytest.mark.parametrize("following", [b"x", OK, b"\r\n"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_bytes_after_a_response_end_the_connection_and_the_response_stands(
    run: Run, following: bytes, method: str
) -> None:
    response = HEAD + b"Content-Length: 2\r\n\r\n"
    if method == "GET":
        response += b"ok"

    facts, _ = exchanged(run, answering(response + following), method)

    assert (facts.outcome, facts.size) == (200, 2 if method == "GET" else 0)
    assert facts.stray
    assert not facts.usable


def test_bytes_after_a_chunked_body_are_stray(run: Run) -> None:
    response = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"

    facts, _ = exchanged(run, answering(response + b"x"))

    assert (facts.outcome, facts.size, facts.stray) == (200, 2, True)


@pytest.mark.parametrize("loop_sees_them", [True, False])
def test_bytes_between_two_exchanges_end_the_connection(
    run: Run, loop_sees_them: bool
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(OK)
        arrived.wait(SECONDS)
        connection.write(OK)
        over.set()
        connection.request()

    arrived, over = threading.Event(), threading.Event()
    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                facts = await client.exchange(request(target.url))
                arrived.set()
                if loop_sees_them:
                    await client.closing()
                else:
                    assert over.wait(SECONDS)
                    assert not client.connection.send(request(target.url))

                assert facts.usable
                assert client.connection.stray
                assert not client.connection.lost
                assert len(client.ended) == 1

        run(main())
    assert len(target.log) == 1


# Requests


def test_only_the_first_exchange_of_a_connection_is_fresh(run: Run) -> None:
    with RawTarget(answering(OK, OK)) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                client.next_request = request(target.url)
                first = await client.exchange(request(target.url))
                second = await client.result()

                assert client.resent == [True]
                assert (first.fresh, second.fresh) == (True, False)

        run(main())
        assert len(target.log) == 2
        assert target.connections == 1


def test_a_failure_keeps_no_facts_of_the_exchange_before(run: Run) -> None:
    redirect = (
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nServer-Timing: db;dur=2\r\n"
        b"Content-Length: 5\r\n\r\nmoved"
    )
    with RawTarget(answering(redirect, b"")) as target:

        async def main() -> None:
            wanted = request(target.url, checks=Checks(minimum_bytes=9))
            async with connected(target.url) as client:
                first = await client.exchange(wanted)
                second = await client.exchange(wanted)

                assert (first.redirect, first.failed_check) == (True, FailedCheck.SIZE)
                assert second.outcome == Outcome.DISCONNECTED
                assert (second.redirect, second.failed_check) == (False, 0)
                assert (second.server_timing, second.size) == ("", 0)
                assert second.first_byte == 0

        run(main())
        assert len(target.log) == 2


def test_times_follow_each_other(run: Run) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.server.stopping.wait(0.05)
        connection.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        connection.server.stopping.wait(0.05)
        connection.write(HEAD, b"Content-Length: 2\r\n\r\no")
        connection.server.stopping.wait(0.05)
        connection.write(b"k")

    before = perf_counter_ns()
    facts, _ = exchanged(run, script)

    assert before < facts.sent <= facts.written
    # An interim response is not the first byte of the response.
    assert facts.first_byte - facts.written >= 95_000_000
    assert facts.ended - facts.first_byte >= 45_000_000


BODY = bytes(range(256)) * 80_000


def test_a_large_request_is_written_whole_before_written_is_known(run: Run) -> None:
    received: list[bytes] = []

    def script(connection: RawConnection) -> None:
        begun.wait(SECONDS)
        connection.server.stopping.wait(0.1)
        connection.request()
        parts = [connection.unread]
        while sum(map(len, parts)) < len(BODY) and (
            part := connection.socket.recv(1_000_000)
        ):
            parts.append(part)
        received.append(b"".join(parts))
        connection.write(OK)

    begun = threading.Event()
    facts: list[Facts] = []
    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                assert client.connection.send(request(target.url, "POST", body=BODY))
                begun.set()
                facts.append(await client.result())

        run(main())
    assert received == [BODY]
    assert facts[0].outcome == 200
    assert facts[0].usable
    assert facts[0].written - facts[0].sent >= 95_000_000
    assert facts[0].written <= facts[0].first_byte


def test_a_response_before_the_end_of_the_request_stands_and_ends_the_connection(
    run: Run,
) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.write(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")
        connection.server.stopping.wait(SECONDS)

    facts: list[Facts] = []
    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                facts.append(
                    await client.exchange(request(target.url, "POST", body=BODY))
                )

        run(main())
    assert (facts[0].outcome, facts[0].size) == (413, 2)
    assert facts[0].written == 0
    assert not facts[0].usable


def test_a_target_that_ends_a_large_request_is_not_waited_for(run: Run) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.socket.shutdown(socket.SHUT_WR)
        connection.server.stopping.wait(SECONDS)

    facts: list[Facts] = []
    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                facts.append(
                    await client.exchange(request(target.url, "POST", body=BODY))
                )
                await client.closing()

        run(main())
    assert facts[0].outcome == Outcome.DISCONNECTED


def test_a_request_ended_by_its_caller_is_reported_once_and_closes(run: Run) -> None:
    def script(connection: RawConnection) -> None:
        connection.request()
        connection.request()

    with RawTarget(script) as target:

        async def main() -> None:
            async with connected(target.url) as client:
                assert client.connection.send(request(target.url))
                client.connection.fail(Outcome.TIMEOUT, "It took too long.")
                facts = await client.result()
                await client.closing()
                client.connection.fail(Outcome.TIMEOUT, "Again.")

                assert facts.outcome == Outcome.TIMEOUT
                assert facts.message == "It took too long."
                assert facts.first_byte == 0
                assert facts.ended >= facts.sent
                assert client.ended == [facts]
                assert not client.connection.lost

        run(main())


# Checks


def test_a_check_of_the_body_reads_it_across_its_chunks(run: Run) -> None:
    responses = [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nnee\r\n3\r\ndle\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 6\r\n\r\nneedle",
        HEAD + b"Content-Length: 6\r\n\r\nthread",
        HEAD + b"\r\nneedle",
    ]
    with RawTarget(answering(*responses)) as target:

        async def main() -> None:
            wanted = request(target.url, checks=Checks(contains="needle"))
            async with connected(target.url) as client:
                found = [await client.exchange(wanted) for _ in responses]

                assert [each.failed_check for each in found] == [
                    FailedCheck.NONE,
                    FailedCheck.NONE,
                    FailedCheck.CONTAINS,
                    FailedCheck.NONE,
                ]
                assert {(each.outcome, each.size) for each in found} == {(200, 6)}

        run(main())


# TLS


def test_a_connection_over_tls_behaves_alike(
    run: Run, self_signed: ssl.SSLContext
) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    received: list[int] = []

    def script(connection: RawConnection) -> None:
        connection.request()
        left = 5_000_000 - len(connection.unread)
        while left and (part := connection.socket.recv(1_000_000)):
            left -= len(part)
        received.append(left)
        connection.unread = b""
        connection.write(OK)
        connection.request()
        connection.write(HEAD, b"\r\nuntil the end")

    with RawTarget(script, self_signed) as target:

        async def main() -> None:
            async with connected(target.url, dialler(tls=trusting)) as client:
                body = BODY[:5_000_000]
                first = await client.exchange(request(target.url, "POST", body=body))
                second = await client.exchange(request(target.url))

                assert (first.outcome, first.size, first.usable) == (200, 2, True)
                assert 0 < first.sent <= first.written <= first.first_byte
                assert (second.outcome, second.size) == (200, 13)
                assert 0 < second.sent <= second.written <= second.first_byte
                assert not second.usable
                await client.closing()

        run(main())
    assert received == [0]
    assert len(target.log) == 2


# Without a network


class Silent(asyncio.Transport):
    """A transport that takes everything, over a file that is never hung up."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__({"ssl_object": self, "socket": file})
        self._closing = False

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None: ...

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def is_closing(self) -> bool:
        return self._closing

    def abort(self) -> None:
        self._closing = True


@contextmanager
def unconnected() -> Iterator[tuple[Connection, list[Facts]]]:
    """A connection to feed, and the facts of its exchanges."""
    ended: list[Facts] = []
    connection = Connection(
        lambda connection: ended.append(facts_of(connection)),
        lambda connection: None,
        LIMITS,
    )
    with open(os.devnull, "rb") as file:
        connection.connection_made(Silent(file))
        yield connection, ended


@st.composite
def responses(draw: st.DrawFn) -> tuple[bytes, int, int]:
    """A response, its status and the size of its body."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" * draw(st.integers(0, 2))
    status = draw(st.sampled_from([200, 404, 503]))
    fields = draw(st.lists(st.sampled_from([b"A: b", b"Date: x", b"C:"]), max_size=3))
    body = draw(st.binary(max_size=40) | st.just(b"\r\n\r\n0\r\n\r\n"))
    if draw(st.booleans()):
        fields.append(b"Transfer-Encoding: chunked")
        cuts = sorted(draw(st.sets(st.integers(1, 39), max_size=3)))
        pieces = [body[i:j] for i, j in zip([0, *cuts], [*cuts, 40], strict=True)]
        framed = b"".join(
            b"%x;ext\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece
        )
        framed += b"0\r\n" + draw(st.sampled_from([b"", b"T: u\r\n"])) + b"\r\n"
    else:
        fields.append(b"Content-Length: %d" % len(body))
        framed = body
    head = b"HTTP/1.1 %d X\r\n" % status + b"".join(each + b"\r\n" for each in fields)
    return interim + head + b"\r\n" + framed, status, len(body)


@given(
    st.lists(responses(), min_size=1, max_size=3),
    st.lists(st.integers(1, 60), min_size=1, max_size=40),
)
def test_the_facts_do_not_depend_on_how_the_bytes_arrive(
    expected: list[tuple[bytes, int, int]], sizes: list[int]
) -> None:
    wanted = request("http://target.example/")

    with unconnected() as (connection, ended):
        for data, _, _ in expected:
            assert connection.send(wanted)
            for size in itertools.cycle(sizes):
                if not data:
                    break
                connection.data_received(data[:size])
                data = data[size:]

    assert [(each.outcome, each.size, each.usable) for each in ended] == [
        (status, size, True) for _, status, size in expected
    ]


@given(
    st.sampled_from(
        [b"", HEAD, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", HEAD + b"\r\n"]
    ),
    st.lists(
        st.binary(max_size=20) | st.sampled_from([b"\r\n", b":", b"\n", b" ", b"5;"]),
        max_size=20,
    ),
)
def test_whatever_arrives_ends_as_one_response_or_one_failure(
    beginning: bytes, pieces: list[bytes]
) -> None:
    with unconnected() as (connection, ended):
        connection.send(request("http://target.example/"))
        for piece in (beginning, *pieces):
            connection.data_received(piece)
        connection.eof_received()
        connection.connection_lost(None)

    assert len(ended) == 1
    assert ended[0].outcome in {
        200,
        Outcome.DISCONNECTED,
        Outcome.INVALID_RESPONSE,
        Outcome.TOO_LARGE,
    }
