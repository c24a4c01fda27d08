"""Reads HTTP/1.1 responses: their header, and where they end (RFC 9112).

Nothing here reads from the network; `ResponseReader` is fed with what arrived. It keeps
the length of a body instead of the body, and counts everything it is fed, so that no
target can exceed its `ResponseLimits`.
"""

import enum
import re
from dataclasses import dataclass

# An interim response (RFC 9110, section 15.2) may come before the final one.
MAX_INTERIM_RESPONSES = 16
# Each costs as much work as reading a small response.
MAX_CHUNKS = 32_768
# Of one line that frames a chunk, its extensions included.
MAX_CHUNK_LINE_BYTES = 4096
# What a response before may have left on a connection that is used again.
MAX_STRAY_BYTES = 8192
# The limit of a field is one of its value; names are short.
MAX_NAME_BYTES = 256

_STATUS_LINE = re.compile(rb"HTTP/(1\.[0-9]) ([0-9]{3})(?: .*)?", re.DOTALL)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Statuses without a body, whatever their header says (RFC 9112, section 6.3).
_BODILESS = frozenset({204, 304})
_SWITCHING = 101
_VERSION = b"HTTP/1."
_LINE_ENDS = re.compile(rb"[\r\n]*")
_FOLD = re.compile(rb"\r?\n[ \t]+")
# The fields that are read. All others are counted.
_READ = frozenset({b"connection", b"content-length", b"location", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class ResponseLimits:
    """What one response may have, in bytes but for the fields."""

    body_bytes: int  # of the body, the lines that frame its chunks included
    field_bytes: int  # of one header field
    fields: int

    @property
    def header_bytes(self) -> int:
        """Of all that is not body: status lines and fields, interim responses' too."""
        return 2 * self.field_bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A complete response."""

    status: int
    body_length: int  # bytes as sent
    location: str | None  # bytes that are not UTF-8 as surrogate escapes
    reusable: bool  # whether the connection can carry another request


class InvalidResponse(Exception):
    """The bytes are not an HTTP response; the text is a sentence."""


class TooMuch(Exception):
    """A limit of ours, not of HTTP, was passed; the text is a sentence."""


class _State(enum.Enum):
    START = enum.auto()
    HEADER = enum.auto()
    LENGTH = enum.auto()
    CHUNK_LINE = enum.auto()
    CHUNK_DATA = enum.auto()
    CHUNK_END = enum.auto()
    TRAILER = enum.auto()
    UNTIL_CLOSE = enum.auto()
    COMPLETE = enum.auto()


# Python 3.11 looks a member up on its class ten times slower than a global.
(
    START,
    HEADER,
    LENGTH,
    CHUNK_LINE,
    CHUNK_DATA,
    CHUNK_END,
    TRAILER,
    UNTIL_CLOSE,
    COMPLETE,
) = _State


class ResponseReader:
    """Reads one response to a request of ``method``.

    ``may_be_stray`` says that bytes of an earlier response may come first, as they can
    on a connection that is used again: they are skipped up to the status line.
    """

    __slots__ = (
        "_body",
        "_chunks",
        "_fields",
        "_header_bytes",
        "_head",
        "_interim",
        "_limits",
        "_location",
        "_may_be_stray",
        "_method",
        "_overhead",
        "_persistent",
        "_remaining",
        "_searched",
        "_state",
        "_status",
        "stray",
    )

    def __init__(
        self, method: str, limits: ResponseLimits, *, may_be_stray: bool = False
    ) -> None:
        self.stray = False  # whether bytes that belong to no response came
        self._method = method
        self._limits = limits
        self._may_be_stray = may_be_stray
        self._state = START
        self._head = bytearray()  # a line or a header that is incomplete
        self._searched = 0  # how much of that has been searched for its end
        self._header_bytes = 0
        self._fields = 0
        self._interim = 0
        self._chunks = 0
        self._overhead = 0  # bytes of the lines that frame chunks
        self._body = 0
        self._remaining = 0
        self._status = 0
        self._location: str | None = None
        self._persistent = False

    @property
    def begun(self) -> bool:
        """Whether anything of the response has arrived."""
        return self._state is not START or bool(self._head) or self._interim > 0

    @property
    def header_read(self) -> bool:
        """Whether the header is complete, and the body is what is missing."""
        return bool(self._status)

    def feed(self, data: bytes | bytearray) -> Received | None:
        """The response once it is complete; what follows it makes it not reusable.

        Raises InvalidResponse and TooMuch.
        """
        if self._state is LENGTH:
            position = self._take(data, 0)
        elif self._state is UNTIL_CLOSE:
            self._count_body(len(data))
            return None
        else:
            whole: bytes | bytearray = data
            if self._head:
                whole, self._head = self._head, bytearray()
                whole += data
            position = self._advance(whole)
            data = whole
        if self._state is not COMPLETE:
            return None
        self.stray = self.stray or position < len(data)
        return self._received(reusable=self._persistent and not self.stray)

    def end(self) -> Received | None:
        """The response that the end of the connection completes, if it does."""
        if self._state is UNTIL_CLOSE:
            return self._received(reusable=False)
        return None

    def _received(self, *, reusable: bool) -> Received:
        return Received(self._status, self._body, self._location, reusable)

    def _advance(self, data: bytes | bytearray) -> int:
        """Reads as far as it goes; where it stopped, the rest being kept if incomplete."""
        position, size = 0, len(data)
        searched, self._searched = self._searched, 0
        while position < size and self._state is not COMPLETE:
            state = self._state
            if state is LENGTH or state is CHUNK_DATA:
                position = self._take(data, position)
            elif state is UNTIL_CLOSE:
                self._count_body(size - position)
                return size
            elif state is START:
                start = self._status_line_at(data, position)
                if start < 0:
                    return size
                position = start
                self._state = HEADER
            elif state is HEADER:
                end = _end_of_header(data, max(position, searched - 2))
                if end < 0:
                    self._keep(data, position)
                    return size
                self._count_header(end - position)
                self._read_header(bytes(data[position:end]))
                position = end
            else:
                end = data.find(b"\n", max(position, searched))
                if end < 0:
                    self._keep(data, position)
                    return size
                line = bytes(data[position:end]).removesuffix(b"\r")
                self._read_line(line, end + 1 - position)
                position = end + 1
        return position

    def _keep(self, data: bytes | bytearray, position: int) -> None:
        """Keeps what is incomplete, and refuses what cannot become complete."""
        self._head = bytearray(data[position:])
        self._searched = len(self._head)
        if self._state is HEADER or self._state is TRAILER:
            self._count_header(0, pending=len(self._head))
            start = self._head.rfind(b"\n") + 1
            if len(self._head) - start > self._limits.field_bytes + MAX_NAME_BYTES:
                raise self._field_too_large()
        elif len(self._head) > MAX_CHUNK_LINE_BYTES:
            raise TooMuch(
                f"A line that frames a chunk of the body is longer than {MAX_CHUNK_LINE_BYTES:,} "
                "bytes, which is a limit of this site."
            )

    def _status_line_at(self, data: bytes | bytearray, position: int) -> int:
        """Where the status line begins; -1, and what may become one is kept, if nowhere."""
        # Empty lines before it are skipped (RFC 9112, section 2.2, for requests).
        start = _skip_line_ends(data, position)
        self._count_header(start - position)
        rest = data[start : start + len(_VERSION)]
        if rest == _VERSION[: len(rest)]:
            if len(rest) == len(_VERSION):
                return start
            self._head = bytearray(rest)
            return -1
        if not self._may_be_stray:
            raise InvalidResponse(
                "The response is not HTTP: it does not begin with HTTP/1.1 or HTTP/1.0."
            )
        self.stray = True
        found = data.find(_VERSION, start)
        skipped = (found if found >= 0 else len(data)) - start
        self._header_bytes += skipped
        if self._header_bytes > MAX_STRAY_BYTES:
            raise InvalidResponse(
                "The response is not HTTP: what follows the previous response does not "
                "begin with HTTP/1.1 or HTTP/1.0."
            )
        if found < 0:
            # The beginning of a status line may be at the end.
            tail = data[start:][1 - len(_VERSION) :]
            self._head = bytearray(tail)
            self._header_bytes -= len(tail)
        return found

    def _read_header(self, header: bytes) -> None:
        # A folded line (RFC 9112, section 5.2) continues the one before it.
        first, *lines = _FOLD.sub(b" ", header).split(b"\n")
        status_line = _STATUS_LINE.fullmatch(first.rstrip(b"\r"))
        if status_line is None:
            raise InvalidResponse(
                "The response is not valid HTTP: its first line is "
                f"{_shown(first)}, where HTTP/1.1 and a status of three digits belong."
            )
        status = int(status_line[2])
        fields = self._read_fields(lines)
        if 100 <= status < 200 and status != _SWITCHING:
            self._interim += 1
            if self._interim > MAX_INTERIM_RESPONSES:
                raise TooMuch(
                    f"The target sent more than {MAX_INTERIM_RESPONSES} interim responses (status "
                    f"{status}) before its final response, which is a limit of this site."
                )
            self._state = START
            return
        self._status = status
        if locations := fields.get(b"location"):
            self._location = locations[0].decode("utf-8", "surrogateescape")
        self._frame(status, status_line[1], fields)

    def _read_fields(self, lines: list[bytes]) -> dict[bytes, list[bytes]]:
        fields: dict[bytes, list[bytes]] = {}
        for line in lines:
            line = line.removesuffix(b"\r")
            if not line:
                continue
            if len(line) > self._limits.field_bytes + MAX_NAME_BYTES:
                raise self._field_too_large()
            self._fields += 1
            if self._fields > self._limits.fields:
                raise TooMuch(
                    f"The response has more than {self._limits.fields:,} header fields, "
                    "which is a limit of this site: PROBE_HEADER_FIELDS."
                )
            name, colon, value = line.partition(b":")
            # Browsers and curl drop the white space before a colon too.
            name = name.rstrip(b" \t").lower()
            if not colon or not _FIELD_NAME.fullmatch(name):
                raise InvalidResponse(
                    f"The response is not valid HTTP: {_shown(line)} is not a header field."
                )
            if name in _READ:
                fields.setdefault(name, []).append(value.strip(b" \t"))
        return fields

    def _frame(
        self, status: int, version: bytes, fields: dict[bytes, list[bytes]]
    ) -> None:
        """Says how the body ends (RFC 9112, section 6.3)."""
        codings = _tokens(fields.get(b"transfer-encoding", []))
        lengths = fields.get(b"content-length", [])
        connection = _tokens(fields.get(b"connection", []))
        self._persistent = b"close" not in connection and (
            version != b"1.0" or b"keep-alive" in connection
        )
        if status == _SWITCHING:
            self._persistent = False
            self._state = COMPLETE
        elif self._method == "HEAD" or status in _BODILESS:
            # A body that was announced may come though none should.
            if status in _BODILESS and self._method != "HEAD":
                announced = bool(codings) or any(each != b"0" for each in lengths)
                if status == 204 and announced:
                    self.stray = True
            self._state = COMPLETE
        elif codings:
            # With a Content-Length beside it, or from HTTP/1.0, the framing is faulty:
            # section 6.1 asks to close the connection then.
            if lengths or version == b"1.0":
                self._persistent = False
            if codings[-1] == b"chunked":
                self._state = CHUNK_LINE
            else:
                self._until_close()
        elif lengths:
            self._remaining = _length(lengths)
            if self._remaining > self._limits.body_bytes:
                raise self._body_too_large()
            self._state = LENGTH if self._remaining else COMPLETE
        else:
            self._until_close()

    def _until_close(self) -> None:
        self._persistent = False
        self._state = UNTIL_CLOSE

    def _take(self, data: bytes | bytearray, position: int) -> int:
        """Counts the bytes of a body, or of a chunk, whose length is known."""
        taken = min(self._remaining, len(data) - position)
        self._remaining -= taken
        self._count_body(taken)
        if not self._remaining:
            self._state = COMPLETE if self._state is LENGTH else CHUNK_END
        return position + taken

    def _read_line(self, line: bytes, size: int) -> None:
        """A line that frames a chunk, or one of the trailer section."""
        if self._state is TRAILER:
            self._count_header(size)
            if line:
                self._read_fields([line])
            else:
                self._state = COMPLETE
            return
        self._overhead += size
        self._count_body(0)
        if self._state is CHUNK_END:
            if line:
                raise InvalidResponse(
                    "The body is not valid HTTP: a chunk is longer than it said."
                )
            self._state = CHUNK_LINE
            return
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise InvalidResponse(
                f"The body is not valid HTTP: {_shown(line)} is not the length of a chunk."
            )
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            raise TooMuch(
                f"The body came in more than {MAX_CHUNKS:,} chunks, which is a limit of "
                "this site."
            )
        self._remaining = int(found[1], 16)
        self._state = CHUNK_DATA if self._remaining else TRAILER

    def _count_body(self, size: int) -> None:
        self._body += size
        if self._body + self._overhead > self._limits.body_bytes:
            raise self._body_too_large()

    def _count_header(self, size: int, pending: int = 0) -> None:
        self._header_bytes += size
        if self._header_bytes + pending > self._limits.header_bytes:
            raise TooMuch(
                f"The response's header is larger than {self._limits.header_bytes:,} bytes, "
                "which is a limit of this site: twice PROBE_HEADER_BYTES."
            )

    def _field_too_large(self) -> TooMuch:
        return TooMuch(
            f"A header field of the response is larger than {self._limits.field_bytes:,} "
            "bytes, which is a limit of this site: PROBE_HEADER_BYTES."
        )

    def _body_too_large(self) -> TooMuch:
        return TooMuch(
            f"The body is larger than {self._limits.body_bytes:,} bytes, which is a limit "
            "of this site: PROBE_BODY_BYTES."
        )


def _end_of_header(data: bytes | bytearray, position: int) -> int:
    """Behind the empty line that ends the header, or -1.

    A line may end with a bare line feed (RFC 9112, section 2.2).
    """
    usual = data.find(b"\n\r\n", position)
    bare = data.find(b"\n\n", position, usual + 1 if usual >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return usual + 3 if usual >= 0 else -1


def _skip_line_ends(data: bytes | bytearray, position: int) -> int:
    found = _LINE_ENDS.match(data, position)
    assert found is not None  # it matches nothing as well
    return found.end()


def _tokens(values: list[bytes]) -> list[bytes]:
    """The members of list fields, in lower case (RFC 9110, section 5.6.1)."""
    return [
        token
        for value in values
        for each in value.lower().split(b",")
        if (token := each.strip(b" \t"))
    ]


def _length(values: list[bytes]) -> int:
    """Repeated lengths that agree are one (RFC 9112, section 6.3)."""
    different = set(_tokens(values))
    if len(different) != 1 or not all(each.isdigit() for each in different):
        raise InvalidResponse(
            "The response is not valid HTTP: its Content-Length is "
            f"{_shown(b', '.join(values))}, not one decimal number of bytes."
        )
    # Eighteen digits are beyond every limit; Python refuses to convert thousands.
    return int((different.pop().lstrip(b"0") or b"0")[:18])


def _shown(text: bytes) -> str:
    """For a sentence: short, in quotes, and nothing that a terminal would act on."""
    shown = text.rstrip(b"\r")[:60].decode("utf-8", "replace")
    clean = "".join(each if each.isprintable() else "�" for each in shown)
    return f"“{clean}{'…' if len(text) > 60 else ''}”"
