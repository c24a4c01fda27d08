"""Reads a chunked body, up to the end of its trailer section (RFC 9112, section 7.1)."""

import re

from async_api.load.wire.head import end_of_head, require_trailer, shown
from async_api.load.wire.limits import (
    InvalidResponse,
    ResponseLimits,
    TooLarge,
    body_too_large,
    header_too_large,
)

# Of one line that frames a chunk, its extensions included.
MAX_LINE_BYTES = 4096

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")

# What is to be read next.
_SIZE, _CHUNK, _END_OF_CHUNK, _TRAILER = range(4)


class Chunks:
    """Reads the chunks of one body; `size` counts their bytes, without the framing.

    The bytes are added to ``text``, if there is one, up to the limit of a search.
    """

    __slots__ = (
        "_limits",
        "_next",
        "_overhead",
        "_part",
        "_remaining",
        "_text",
        "size",
    )

    def __init__(self, limits: ResponseLimits, text: bytearray | None) -> None:
        self.size = 0
        self._limits = limits
        self._text = text
        self._next = _SIZE
        self._part = b""  # what is incomplete of a line or of the trailer section
        self._remaining = 0  # bytes of the chunk under way
        self._overhead = 0  # bytes of the lines that frame chunks

    def feed(self, data: bytes, position: int = 0) -> int:
        """Read what arrived; returns how many bytes follow the body, or -1 within it.

        Raises InvalidResponse and TooLarge.
        """
        if self._part:
            data, self._part = self._part + data, b""
        size = len(data)
        while position < size:
            if self._next == _SIZE:
                found = _SIZE_LINE.match(data, position)
                if found is None:
                    self._part = _incomplete_line(data[position:])
                    return -1
                position = found.end()
                self._begin(int(found[1], 16), len(found[0]))
                if self._next == _TRAILER:
                    # Its line end ends the trailer section too, if that is empty.
                    position -= 1
            elif self._next == _CHUNK:
                taken = min(self._remaining, size - position)
                self._remaining -= taken
                self.size += taken
                if self._text is not None:
                    room = self._limits.searched_bytes - len(self._text)
                    self._text += data[position : position + min(taken, room)]
                position += taken
                if not self._remaining:
                    self._next = _END_OF_CHUNK
            elif self._next == _END_OF_CHUNK:
                ending = data[position : position + 2]
                if ending == b"\r\n":
                    position += 2
                    self._next = _SIZE
                elif ending == b"\r":
                    self._part = ending
                    return -1
                else:
                    raise InvalidResponse(
                        "The body is not valid HTTP: a chunk is longer than it said."
                    )
            else:
                end = end_of_head(data, position)
                if (end if end >= 0 else size) - position > self._limits.header_bytes:
                    raise header_too_large(self._limits)
                if end < 0:
                    self._part = data[position:]
                    return -1
                if end > position + 3:
                    require_trailer(data[position + 1 : end])
                return size - end
        return -1

    def _begin(self, size: int, overhead: int) -> None:
        self._remaining = size
        self._next = _CHUNK if size else _TRAILER
        self._overhead += overhead
        if self.size + self._overhead + size > self._limits.body_bytes:
            raise body_too_large(self._limits)


def _incomplete_line(data: bytes) -> bytes:
    """The beginning of a line that gives the size of a chunk."""
    if b"\n" in data:
        raise InvalidResponse(
            f"The body is not valid HTTP: {shown(data)} is not the size of a chunk."
        )
    if len(data) > MAX_LINE_BYTES:
        raise TooLarge(
            f"A line that frames a chunk of the body is longer than {MAX_LINE_BYTES:,} "
            "bytes, which is a limit of this site."
        )
    return data
