"""A chunked body is counted without its framing, wherever its bytes are cut."""

import pytest

from async_api.load.wire.chunks import MAX_LINE_BYTES, Chunks
from async_api.load.wire.limits import InvalidResponse, ResponseLimits, TooLarge

LIMITS = ResponseLimits(body_bytes=1000, header_bytes=100, searched_bytes=8)
BODY = b'5;a="b"\r\nhello\r\n00006 \r\n world\r\n0;last\r\nTrailer: x\r\n\r\n'


@pytest.mark.parametrize("size", range(1, len(BODY) + 1))
def test_a_body_ends_behind_its_trailer_section(size: int) -> None:
    text = bytearray()
    chunks = Chunks(LIMITS, text)

    pieces = [BODY[start : start + size] for start in range(0, len(BODY), size)]
    found = [chunks.feed(piece) for piece in pieces]

    assert found == [-1] * (len(pieces) - 1) + [0]
    assert chunks.size == 11
    # Only as much of it is kept as a check searches.
    assert text == b"hello wo"


def test_what_follows_a_body_is_counted() -> None:
    assert Chunks(LIMITS, None).feed(BODY + b"HTTP") == 4
    assert Chunks(LIMITS, None).feed(b"0\r\n\r\n\r\n") == 2


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n",
        b"g\r\n",
        b"0x5\r\nhello\r\n",
        b"-5\r\n",
        b"5\nhello\n",
        b"5\r\nhello!\r\n",
        b"5\r\nhello\n5\r\n",
        b"5;a\rb\r\n",
        b"1" * 16 + b"\r\n",
        b"0\r\nno field\r\n\r\n",
        b"0\r\n: no name\r\n\r\n",
    ],
)
def test_framing_that_is_not_valid_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        Chunks(LIMITS, None).feed(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"3e9\r\n", "1,000 bytes"),
        (b"1\r\nx\r\n" * 300, "1,000 bytes"),
        (b"1;" + b"x" * MAX_LINE_BYTES, "4,096 bytes"),
        (b"0\r\n" + b"A: b\r\n" * 20, "100 bytes"),
        (b"0\r\n" + b"A: b\r\n" * 20 + b"\r\n", "100 bytes"),
    ],
)
def test_a_body_beyond_a_limit_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(TooLarge, match=said):
        Chunks(LIMITS, None).feed(body)
