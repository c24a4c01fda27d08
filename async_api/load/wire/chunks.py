"""Reads a chunked body, up to the end of its trailer section (RFC 9112, section 7.1)."""

import re

from async_api.load.wire.head import end_of_head, require_fields
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


class Chunks:
    """Reads the chunks of one body; `size` counts their bytes, without the framing.

    The bytes are added to ``text``, if there is one, up to the limit of a search.
    """

    __slots__ = (
        "_limits",
        "_overhead",
        "_part",
        "_remaining",
        "_text",
        "_within",
        "size",
    )

    def __init__(self, limits: ResponseLimits, text: bytearray | None) -> None:
        self.size = 0
        self._limits = limits
        self._text = text
        self._part = b""  # what is incomplete of a line or of the trailer section
        self._remaining = 0  # bytes of the chunk under way
        self._overhead = 0  # bytes of the lines that frame chunks
        self._within = "line"  # or "chunk", "end" of a chunk, "trailer"

    def feed(self, data: bytes) -> int:
        """Read what arrived; returns how many bytes follow the body, or -1 within it.

        Raises InvalidResponse and TooLarge.
        """
        if self._part:
            data, self._part = self._part + data, b""
        position, size = 0, len(data)
        while position < size:
            if self._within == "line":
                end = data.find(b"\n", position) + 1
                if not end:
                    self._part = data[position:]
                    if len(self._part) > MAX_LINE_BYTES:
                        raise TooLarge(
                            "A line that frames a chunk of the body is longer than "
                            f"{MAX_LINE_BYTES:,} bytes, which is a limit of this site."
                        )
                    return -1
                self._read_size(data[position:end])
                # The line end of the last chunk may be that before an empty trailer.
                position = end if self._within == "chunk" else end - 1
            elif self._within == "chunk":
                taken = min(self._remaining, size - position)
                self._count(data, position, taken)
                position += taken
                if not self._remaining:
                    self._within = "end"
            elif self._within == "end":
                if size - position < 2:
                    self._part = data[position:]
                    return -1
                if data[position : position + 2] != b"\r\n":
                    raise InvalidResponse(
                        "The body is not valid HTTP: a chunk is longer than it said."
                    )
                position += 2
                self._within = "line"
            else:
                end = end_of_head(data, position)
                if (end if end >= 0 else size) - position > self._limits.header_bytes:
                    raise header_too_large(self._limits)
                if end < 0:
                    self._part = data[position:]
                    return -1
                require_fields(data[position:end])
                return size - end
        return -1

    def _read_size(self, line: bytes) -> None:
        found = _SIZE_LINE.fullmatch(line)
        if found is None:
            raise InvalidResponse(
                f"The body is not valid HTTP: {line[:20]!r} is not the length of a chunk."
            )
        self._overhead += len(line) + 2
        self._remaining = int(found[1], 16)
        self._within = "chunk" if self._remaining else "trailer"
        if self.size + self._overhead + self._remaining > self._limits.body_bytes:
            raise body_too_large(self._limits)

    def _count(self, data: bytes, position: int, taken: int) -> None:
        self._remaining -= taken
        self.size += taken
        if self._text is not None:
            room = self._limits.searched_bytes - len(self._text)
            self._text += data[position : position + min(taken, room)]
