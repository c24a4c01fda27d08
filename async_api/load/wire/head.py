"""Reads the head of a response: its status line and header fields (RFC 9112).

A target sends the same bytes again and again, but for a date that changes every second,
so `read_head` remembers the latest heads that it read.
"""

import functools
import re
from dataclasses import dataclass

from async_api.load.wire.limits import InvalidResponse

# What `Head.length` says of a body whose length the head does not tell.
UNTIL_CLOSE = -1  # it ends with the connection
CHUNKED = -2

_VERSION = b"HTTP/1."
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([0-9]{3})(?: [^\r\0]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\0]*?)[ \t]*")
_LINE_END = re.compile(rb"\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_DIGITS = re.compile(rb"[0-9]+")
_SWITCHING = 101
# Statuses without a body, whatever the head says (RFC 9112, section 6.3).
_BODILESS = frozenset({_SWITCHING, 204, 304})


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a response says."""

    status: int
    interim: bool  # another response follows (RFC 9110, section 15.2)
    length: int  # of the body in bytes, UNTIL_CLOSE or CHUNKED
    persistent: bool  # the connection may carry another request
    redirect: bool  # 3xx with a Location
    server_timing: str
    content_type: str
    names: frozenset[str]  # of all fields, in lower case


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
            f"The response is not HTTP/1: it begins with {_shown(data)}, where HTTP/1.1 "
            "or HTTP/1.0 belongs."
        )


@functools.lru_cache(maxsize=128)
def read_head(data: bytes) -> Head:
    """Read a head that ends with its empty line; raises InvalidResponse."""
    require_http(data)
    # A line that begins with white space continues the one before it (section 5.2).
    first, *lines = _LINE_END.split(_FOLD.sub(b" ", data))
    found = _STATUS_LINE.fullmatch(first)
    status = int(found[2]) if found else 0
    if found is None or not 100 <= status < 600:
        raise InvalidResponse(
            f"The response is not valid HTTP: its first line is {_shown(first)}, where "
            "HTTP/1.1 and a status from 100 to 599 belong."
        )
    fields = _read_fields(lines)
    connection = _members(fields.get("connection", []))
    minor = int(found[1])
    # HTTP/1.0 announces a connection that persists (section 9.3).
    persistent = b"close" not in connection and (
        minor > 0 or b"keep-alive" in connection
    )
    length = 0 if status in _BODILESS else _length(fields)
    if length == UNTIL_CLOSE or status == _SWITCHING:
        persistent = False
    elif length == CHUNKED and minor == 0:
        # Faulty framing, after which the connection must be closed (section 6.1).
        persistent = False
    return Head(
        status=status,
        interim=status < 200 and status != _SWITCHING,
        length=length,
        persistent=persistent,
        redirect=300 <= status < 400 and "location" in fields,
        server_timing=_text(fields.get("server-timing", [])),
        content_type=_text(fields.get("content-type", [])[:1]),
        names=frozenset(fields),
    )


def require_fields(data: bytes) -> None:
    """Raise InvalidResponse where the lines of a trailer section are not fields."""
    _read_fields(_LINE_END.split(_FOLD.sub(b" ", data)))


def _read_fields(lines: list[bytes]) -> dict[str, list[bytes]]:
    fields: dict[str, list[bytes]] = {}
    for line in lines:
        if not line:
            continue
        found = _FIELD.fullmatch(line)
        if found is None:
            raise InvalidResponse(
                f"The response is not valid HTTP: {_shown(line)} is not a header field."
            )
        fields.setdefault(found[1].decode("ascii").lower(), []).append(found[2])
    return fields


def _length(fields: dict[str, list[bytes]]) -> int:
    """How the body ends, where the status allows one (RFC 9112, section 6.3)."""
    codings = _members(fields.get("transfer-encoding", []))
    lengths = fields.get("content-length", [])
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
    if not lengths:
        return UNTIL_CLOSE
    # Repeated lengths that agree are one.
    different = set(_members(lengths))
    if len(different) != 1 or not _DIGITS.fullmatch(next(iter(different))):
        raise InvalidResponse(
            "The response is not valid HTTP: its Content-Length is "
            f"{_shown(b', '.join(lengths))}, where one decimal number of bytes belongs."
        )
    # Eighteen digits are beyond every limit; Python refuses to convert thousands.
    return int((different.pop().lstrip(b"0") or b"0")[:18])


def _members(values: list[bytes]) -> list[bytes]:
    """The members of list fields, in lower case (RFC 9110, section 5.6.1)."""
    return [
        member
        for value in values
        for each in value.lower().split(b",")
        if (member := each.strip(b" \t"))
    ]


def _text(values: list[bytes]) -> str:
    return b", ".join(values).decode("utf-8", "replace")


def _shown(data: bytes) -> str:
    """For a sentence: short, in quotes, and nothing that a terminal would act on."""
    shown = data[:60].decode("utf-8", "replace").rstrip("\r\n")
    clean = "".join(each if each.isprintable() else "�" for each in shown)
    return f"“{clean}{'…' if len(data) > 60 else ''}”"
