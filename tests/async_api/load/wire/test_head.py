"""The head of a response says how its body ends, and is valid or described."""

import contextlib

import pytest

from async_api.load.wire.head import CHUNKED, UNTIL_CLOSE, end_of_head, read_head
from async_api.load.wire.limits import InvalidResponse


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", -1),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", -1),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r", -1),
        (b"HTTP/1.1 200 OK\r\n\r\n", 19),
        (b"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n", 19),
        (b"HTTP/1.1 200 OK\n\n\r\n\r\n", 17),
        (b"HTTP/1.1 200 OK\r\n\n\r\n\r\n", 18),
        (b"HTTP/1.1 200 OK\n\r\n\n", 18),
    ],
)
def test_a_head_ends_at_its_first_empty_line(data: bytes, end: int) -> None:
    assert end_of_head(data) == end


@pytest.mark.parametrize(
    ("fields", "length", "persistent"),
    [
        (b"", UNTIL_CLOSE, False),
        (b"Content-Length: 7\r\n", 7, True),
        (b"content-LENGTH:\t7 \r\n", 7, True),
        (b"X-Content-Length: 7\r\n", UNTIL_CLOSE, False),
        (b"X: Content-Length: 7\r\n", UNTIL_CLOSE, False),
        (b"X:\r\n Content-Length: 7\r\n", UNTIL_CLOSE, False),
        (b"Content-Length: %b1\r\n" % (b"0" * 5000), 1, True),
        (b"Content-Length: %b\r\n" % (b"9" * 5000), 10**18 - 1, True),
        (b"Transfer-Encoding: Chunked\r\n", CHUNKED, True),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", CHUNKED, True),
        (b"Transfer-Encoding: gzip\r\n", UNTIL_CLOSE, False),
        (b"Content-Length: 7\r\nConnection: keep-alive, close\r\n", 7, False),
        (b"Content-Length: 7\r\nConnection: closed\r\n", 7, True),
    ],
)
def test_the_fields_say_how_the_body_ends(
    fields: bytes, length: int, persistent: bool
) -> None:
    head = read_head(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")

    assert (head.length, head.persistent) == (length, persistent)


@pytest.mark.parametrize("status", [b"100", b"103", b"199"])
def test_an_interim_response_is_not_the_last(status: bytes) -> None:
    head = read_head(b"HTTP/1.1 %b X\r\nContent-Length: 0\r\n\r\n" % status)

    assert head.interim


def test_what_a_message_shows_is_short_and_printable() -> None:
    with pytest.raises(InvalidResponse) as caught:
        read_head(b"HTTP/1.1 200 OK\r\n\x1b[31m" + b"x" * 100 + b"\r\nA: b\r\n\r\n")

    assert str(caught.value) == (
        "The response is not valid HTTP: “�[31m"
        + "x" * 55
        + "…” is not a header field."
    )


@pytest.mark.parametrize("end", [b"", b"not a field\r\n"])
@pytest.mark.parametrize("unit", [b"A: b\r\n", b"A: b\r\n c\r\n", b"\t", b"A", b":"])
def test_reading_takes_linear_time(unit: bytes, end: bytes) -> None:
    # Quadratic time would exceed the time of a test.
    data = (
        b"HTTP/1.1 200 OK\r\nA:"
        + unit * (1_000_000 // len(unit))
        + b"\r\n"
        + end
        + b"\r\n"
    )

    with contextlib.suppress(InvalidResponse):
        read_head(data)
