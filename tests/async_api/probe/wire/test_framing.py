"""A response ends where RFC 9112 says, however its bytes arrive."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_api.probe.wire.framing import (
    MAX_CHUNKS,
    MAX_INTERIM_RESPONSES,
    InvalidResponse,
    Received,
    ResponseLimits,
    ResponseReader,
    TooMuch,
)
from tests.support.growth import assert_grows_no_faster_than_its_input

LIMITS = ResponseLimits(body_bytes=1_000_000, field_bytes=64 * 1024, fields=256)
OK = b"HTTP/1.1 200 OK\r\n"


def read(
    response: bytes,
    method: str = "GET",
    *,
    size: int = 1_000_000,
    closed: bool = False,
    may_be_stray: bool = False,
) -> tuple[Received | None, bool]:
    """The result of reading a response that arrives `size` bytes at a time."""
    reader = ResponseReader(method, LIMITS, may_be_stray=may_be_stray)
    received = None
    for start in range(0, len(response), size):
        received = reader.feed(response[start : start + size])
        if received is not None:
            break
    if received is None and closed:
        received = reader.end()
    return received, reader.stray


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("response", "method", "length", "reusable"),
    [
        (OK + b"Content-Length: 2\r\n\r\nok", "GET", 2, True),
        (OK + b"content-length:2 \r\n\r\nok", "GET", 2, True),
        (OK + b"Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok", "GET", 2, True),
        (OK + b"Content-Length: 0\r\n\r\n", "GET", 0, True),
        (OK + b"Content-Length: 9\r\n\r\n", "HEAD", 0, True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", "HEAD", 0, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", 0, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", 0, True),
        (b"HTTP/1.1 204\r\n\r\n", "GET", 0, True),
        (OK + b"Content-Length: 2\r\nConnection: Close\r\n\r\nok", "GET", 2, False),
        (OK + b"Content-Length: 2\r\nConnection: x, close\r\n\r\nok", "GET", 2, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "GET", 2, False),
        (
            b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
            "GET",
            2,
            True,
        ),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "GET",
            2,
            True,
        ),
        (
            OK
            + b"Transfer-Encoding: gzip, Chunked\r\n\r\n0002;a=b\r\nok\r\na \r\n0123456789"
            b"\r\n0\r\nX: y\r\n\r\n",
            "GET",
            12,
            True,
        ),
        (
            OK
            + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "GET",
            2,
            False,
        ),
        (b"\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", "GET", 2, True),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "GET", 2, True),
        (b"HTTP/1.1 200 \r\nContent-Length\t: 2\r\n\r\nok", "GET", 2, True),
        (OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nok", "GET", 2, True),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n"
            + OK
            + b"Content-Length: 2\r\n\r\nok",
            "GET",
            2,
            True,
        ),
    ],
)
def test_a_response_ends_where_its_framing_says(
    response: bytes, method: str, length: int, reusable: bool, size: int
) -> None:
    received, stray = read(response, method, size=size)

    assert received is not None
    assert (received.body_length, received.reusable) == (length, reusable)
    assert not stray


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "header", [OK, b"HTTP/1.0 200 OK\r\n", OK + b"Transfer-Encoding: gzip\r\n"]
)
def test_without_a_length_the_end_of_the_connection_ends_the_body(
    header: bytes, size: int
) -> None:
    received, _ = read(header + b"\r\nbody", size=size, closed=True)

    assert received == Received(200, 4, None, reusable=False)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        OK + b"Content-Length: 2\r\n\r\no",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_an_incomplete_response_is_not_completed_by_the_end(response: bytes) -> None:
    received, _ = read(response, closed=True)

    assert received is None


@pytest.mark.parametrize(
    "response",
    [
        OK + b"Content-Length: 2\r\n\r\nokEXTRA",
        OK + b"Content-Length: 2\r\n\r\nok\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\nbody",
        b"HTTP/1.1 304 Not Modified\r\n\r\nbody",
        (OK + b"Content-Length: 0\r\n\r\n") * 2,
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n0\r\n\r\n",
    ],
)
def test_bytes_after_a_response_affect_the_connection_and_not_the_response(
    response: bytes,
) -> None:
    received, stray = read(response)

    assert received is not None
    assert not received.reusable
    assert stray


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    "junk", [b"0\r\n\r\n", b"EXTRA", b"HTTP/", b"HTHTTP", b"a" * 99]
)
def test_bytes_of_an_earlier_response_are_skipped(junk: bytes, size: int) -> None:
    response = junk + OK + b"Content-Length: 2\r\n\r\nok"

    received, stray = read(response, size=size, may_be_stray=True)

    assert received == Received(200, 2, None, reusable=False)
    assert stray


@pytest.mark.parametrize(
    "location", [b"/a%26b", b"https://example.com/\xc3\xbc", b"/\xff", b"/a b"]
)
def test_a_location_keeps_its_bytes(location: bytes) -> None:
    received, _ = read(
        b"HTTP/1.1 301 Moved\r\nLocation: %b \r\nContent-Length: 0\r\n\r\n" % location
    )

    assert received is not None and received.location is not None
    assert received.location.encode("utf-8", "surrogateescape") == location


@pytest.mark.parametrize(
    "response",
    [
        b"this is not HTTP\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b": no name\r\n\r\n",
        OK + b"a b: c\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 1, 2\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        OK + b"Content-Length: \r\n\r\n",
        OK + b"Content-Length: 0x1\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 99 + b"\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nokay\r\n",
    ],
)
def test_a_response_that_is_not_http_is_described_in_a_sentence(
    response: bytes,
) -> None:
    with pytest.raises(InvalidResponse) as raised:
        read(response)

    assert_sentence(str(raised.value))


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("response", "limit"),
    [
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 17, "interim responses"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 99, "interim responses"),
        (OK + b"X: " + b"a" * 70_000, "PROBE_HEADER_BYTES"),
        (OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n", "PROBE_HEADER_BYTES"),
        (OK + (b"X: " + b"a" * 60_000 + b"\r\n") * 3, "PROBE_HEADER_BYTES"),
        (OK + b"X: a\r\n" * 257 + b"\r\n", "PROBE_HEADER_FIELDS"),
        (b"\r\n" * 99_999, "PROBE_HEADER_BYTES"),
        (OK + b"Content-Length: 1000001\r\n\r\n", "PROBE_BODY_BYTES"),
        (OK + b"Content-Length: 1" + b"0" * 5000 + b"\r\n\r\n", "PROBE_BODY_BYTES"),
        (OK + b"\r\n" + b"a" * 1_000_001, "PROBE_BODY_BYTES"),
        (CHUNKED + b"f4241\r\n" + b"a" * 1_000_001, "PROBE_BODY_BYTES"),
        (CHUNKED + b"1\r\na\r\n" * (MAX_CHUNKS + 1), "chunks"),
        (CHUNKED + (b"1;" + b"a" * 4000 + b"\r\na\r\n") * 300, "PROBE_BODY_BYTES"),
        (CHUNKED + b"1;" + b"a" * 5000, "frames a chunk"),
        (CHUNKED + b"0\r\n" + b"X: a\r\n" * 300, "header fields"),
        (CHUNKED + b"0\r\nX: " + b"a" * 70_000, "header.* larger"),
    ],
)
@pytest.mark.parametrize("size", [4096, 10_000_000])
def test_the_message_says_that_the_limit_is_ours(
    response: bytes, limit: str, size: int
) -> None:
    with pytest.raises(TooMuch, match=limit) as raised:
        read(response, size=size)

    assert "limit of this site" in str(raised.value)
    assert_sentence(str(raised.value))


@pytest.mark.parametrize(
    "header",
    [
        b"X: " + b"a" * 64 * 1024 + b"\r\n",
        b"Content-Security-Policy: " + b"a" * 12_000 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(255)),
    ],
)
@pytest.mark.parametrize("size", [999, 10_000_000])
def test_a_large_header_within_the_limits_is_read(header: bytes, size: int) -> None:
    received, _ = read(OK + header + b"Content-Length: 2\r\n\r\nok", size=size)

    assert received == Received(200, 2, None, reusable=True)


def test_sixteen_interim_responses_are_read() -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n" * MAX_INTERIM_RESPONSES

    received, _ = read(interim + OK + b"Content-Length: 0\r\n\r\n")

    assert received == Received(200, 0, None, reusable=True)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"HTTP/1.1 200 OK\r\n",
                b"HTTP/1.1 102 P\r\n\r\n",
                b"Content-Length: 3\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"\r\n",
                b"\n",
                b"\r",
                b"3\r\nabc\r\n",
                b"0\r\n",
                b"X: y\r\n",
                b" fold\r\n",
                b"\x00\xff",
            ]
        )
        | st.binary(max_size=4),
        max_size=12,
    ).map(b"".join),
    st.integers(1, 20),
    st.booleans(),
)
def test_the_result_does_not_depend_on_how_the_bytes_arrive(
    response: bytes, size: int, may_be_stray: bool
) -> None:
    def outcome(size: int) -> object:
        try:
            received, _ = read(response, size=size, may_be_stray=may_be_stray)
        except (InvalidResponse, TooMuch) as error:
            assert_sentence(str(error))
            return type(error)
        return received and (received.status, received.body_length)

    assert outcome(size) == outcome(10_000)


@pytest.mark.parametrize(
    "response",
    [
        lambda length: b"\r\n" * (length // 2),
        lambda length: OK + b"X: " + b"a" * length,
        lambda length: OK + b"X: " + b" \r\n a" * (length // 6) + b"\r\n\r\n",
        lambda length: OK + b"a:\r\n" * (length // 4) + b"\r\n",
        lambda length: CHUNKED + b"1\r\na\r\n" * (length // 6),
        lambda length: CHUNKED + b"1;" + b" " * length,
        lambda length: OK + b"Content-Length: " + b"1," * (length // 2) + b"\r\n\r\n",
    ],
)
def test_reading_takes_linear_time(
    response: Callable[[int], bytes],
) -> None:
    def work(made: bytes) -> None:
        with suppress(InvalidResponse, TooMuch):
            read(made, size=1024)

    assert_grows_no_faster_than_its_input(response, work, 120_000)


def assert_sentence(message: str) -> None:
    assert message.endswith(".")
    assert message.isprintable()
    assert "b'" not in message
    assert len(message) < 250
