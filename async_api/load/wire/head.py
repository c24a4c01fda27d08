"""Reads the head of a response: its status line and header fields (RFC 9112).

A target sends the same bytes again and again, but for a date that changes every second,
so `read_head` remembers the latest heads that it read.
"""

import functools
import re
from typing import NamedTuple

from async_api.load.wire.limits import InvalidResponse

# What `Head.length` says of a body whose length the head does not tell.
UNTIL_CLOSE = -1  # it ends with the connection
CHUNKED = -2

_VERSION = b"HTTP/1."
_STATUS_LINE = rb"HTTP/1\.([0-9]) ([1-5][0-9]{2})(?: [^\r\n\0]*+)?\r?\n"
_FIELD = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\r\n\0]*+\r?\n"
_HEAD = re.compile(_STATUS_LINE + rb"(?:" + _FIELD + rb")*+\r?\n")
_TRAILER = re.compile(rb"(?:" + _FIELD + rb")*+\r?\n")
_FIRST_LINE = re.compile(_STATUS_LINE)
_LINE = re.compile(_FIELD + rb"|\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
# The fields that are read; all others have to be well-formed.
_READ = re.compile(
    rb"\n(connection|content-length|content-type|location|server-timing"
    rb"|transfer-encoding):[ \t]*+([^\r\n]*+)",
    re.IGNORECASE,
)
_DIGITS = re.compile(rb"[0-9]+")
_SWITCHING = 101
# Statuses without a body, whatever the head says (RFC 9112, section 6.3).
_BODILESS = frozenset({_SWITCHING, 204, 304})


class Head(NamedTuple):
    """What the head of a response says."""

    status: int
    interim: bool  # another response follows (RFC 9110, section 15.2)
    length: int  # of the body in bytes, UNTIL_CLOSE or CHUNKED
    persistent: bool  # the connection may carry another request
    redirect: bool  # 3xx with a Location
    server_timing: str
    content_type: str
    data: bytes  # all of it, without folded lines


def end_of_head(data: bytes, start: int = 0) -> int:
    """Where the head ends, behind its empty line, or -1.

    A line may end with a bare line feed (RFC 9112, section 2.2).
    """
    usual = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, usual + 1 if usual >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return usual + 3 if usual >= 0 else -1


def require_http(data: bytes) -> None:
    """Raise InvalidResponse where an incomplete head cannot become one."""
    if data[: len(_VERSION)] != _VERSION[: len(data)]:
        raise InvalidResponse(
            f"The response is not HTTP/1: it begins with {shown(data)}, where HTTP/1.1 "
            "or HTTP/1.0 belongs."
        )


@functools.lru_cache(maxsize=128)
def read_head(data: bytes) -> Head:
    """Read a head that ends with its empty line; raises InvalidResponse."""
    found = _HEAD.fullmatch(data)
    if found is None:
        # A line that begins with white space continues the one before it (section 5.2).
        data = _FOLD.sub(b" ", data)
        found = _HEAD.fullmatch(data)
        if found is None:
            raise _invalid(data)
    status = int(found[2])
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _READ.findall(data):
        fields.setdefault(name.lower(), []).append(value.rstrip(b" \t"))
    length = 0 if status in _BODILESS else _length(fields)
    connection = _members(fields.get(b"connection"))
    # HTTP/1.0 announces a connection that persists (section 9.3), and its chunks are
    # faulty framing, after which the connection must be closed (section 6.1).
    persistent = (
        b"close" not in connection
        and length != UNTIL_CLOSE
        and status != _SWITCHING
        and (found[1] != b"0" or (b"keep-alive" in connection and length != CHUNKED))
    )
    return Head(
        status,
        status < 200 and status != _SWITCHING,
        length,
        persistent,
        300 <= status < 400 and b"location" in fields,
        _text(fields.get(b"server-timing")),
        _text(fields.get(b"content-type")),
        data,
    )


def require_trailer(data: bytes) -> None:
    """Raise InvalidResponse where the lines of a trailer section are not fields."""
    if not _TRAILER.fullmatch(data):
        data = _FOLD.sub(b" ", data)
        if not _TRAILER.fullmatch(data):
            raise _not_a_field(data, 0)


def _invalid(data: bytes) -> InvalidResponse:
    """Says which line of a head is wrong."""
    first = _FIRST_LINE.match(data)
    if first is not None:
        return _not_a_field(data, first.end())
    return InvalidResponse(
        f"The response is not valid HTTP: its first line is {shown(data)}, where "
        "HTTP/1.1 and a status from 100 to 599 belong."
    )


def _not_a_field(data: bytes, position: int) -> InvalidResponse:
    while found := _LINE.match(data, position):
        position = found.end()
    return InvalidResponse(
        f"The response is not valid HTTP: {shown(data[position:])} is not a header "
        "field."
    )


def _length(fields: dict[bytes, list[bytes]]) -> int:
    """How the body ends, where the status allows one (RFC 9112, section 6.3)."""
    lengths = fields.get(b"content-length")
    codings = _members(fields.get(b"transfer-encoding"))
    if codings:
        if lengths:
            raise InvalidResponse(
                "The response is not valid HTTP: it has a Transfer-Encoding and a "
                "Content-Length, so that it is unclear where it ends."
            )
        if b"chunked" in codings[:-1]:
            raise InvalidResponse(
                "The response is not valid HTTP: in its Transfer-Encoding, chunked is "
                "not the last coding."
            )
        return CHUNKED if codings[-1] == b"chunked" else UNTIL_CLOSE
    if lengths is None:
        return UNTIL_CLOSE
    # Repeated lengths that agree are one.
    different = set(_members(lengths))
    if len(different) != 1 or not _DIGITS.fullmatch(next(iter(different))):
        raise InvalidResponse(
            "The response is not valid HTTP: its Content-Length is "
            f"{shown(b', '.join(lengths))}, where one decimal number of bytes belongs."
        )
    # Eighteen digits are beyond every limit; Python refuses to convert thousands.
    return int((different.pop().lstrip(b"0") or b"0")[:18])


def _members(values: list[bytes] | None) -> list[bytes]:
    """The members of list fields, in lower case (RFC 9110, section 5.6.1)."""
    return [
        member
        for value in values or ()
        for each in value.lower().split(b",")
        if (member := each.strip(b" \t"))
    ]


def _text(values: list[bytes] | None) -> str:
    return b", ".join(values).decode("utf-8", "replace") if values else ""


def shown(data: bytes) -> str:
    """The first line, for a sentence: short, quoted, nothing a terminal would act on."""
    line = data.partition(b"\n")[0].rstrip(b"\r")
    text = line[:60].decode("utf-8", "replace")
    clean = "".join(each if each.isprintable() else "�" for each in text)
    return f"“{clean}{'…' if len(line) > 60 else ''}”"
