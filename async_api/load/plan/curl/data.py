"""The data of a curl command: what its options add up to."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote_from_bytes

from async_api.load.plan.bodies import FileReader

NAMES = frozenset(
    ("data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json")
)


class Data:
    """The options so far. Pieces are joined with ``&``, except before one of JSON."""

    def __init__(self, read: FileReader) -> None:
        self.read = read
        self.content: bytes | None = None
        self.pieces = 0
        self.file = ""  # whose content is sent unchanged, if it is the only piece

    def add(self, name: str, value: str) -> None:
        """Raises ValueError for a file that is not read."""
        self.pieces += 1
        path = value[1:] if value.startswith("@") and name != "data-raw" else None
        if name == "data-urlencode":
            piece = self._encoded(value)
        elif path is None:
            piece = value.encode(errors="surrogateescape")
        elif name in {"data-binary", "json"} and self.pieces == 1:
            _require_path(path)
            self.file = path  # read when it is known whether more comes
            return
        else:
            piece = self._content_of(path)
            if name in {"data", "data-ascii"}:
                piece = piece.translate(None, b"\r\n\0")
        before = self._so_far()
        self.content = (
            piece
            if before is None
            else before + (b"" if name == "json" else b"&") + piece
        )

    def body(self) -> dict[str, Any]:
        """The member ``body`` of the document."""
        if self.file:
            return {"file": self.file}
        content = self.content or b""
        try:
            return {"text": content.decode()}
        except UnicodeDecodeError:
            return {"base64": b64encode(content).decode()}

    def query(self) -> str:
        """The data as part of a URL; raises ValueError for a file that is not read."""
        return (self._so_far() or b"").decode(errors="surrogateescape")

    def size(self) -> int | None:
        """The number of bytes, or None where they are in a file."""
        return None if self.file else len(self.content or b"")

    def _so_far(self) -> bytes | None:
        if self.file:
            self.content, self.file = self._content_of(self.file), ""
        return self.content

    def _content_of(self, path: str) -> bytes:
        _require_path(path)
        return self.read(path)

    def _encoded(self, value: str) -> bytes:
        """``content``, ``=content``, ``name=content``, ``@file`` or ``name@file``."""
        name, content = "", value
        for place, character in enumerate(value):
            if character == "=":
                name, content = value[:place], value[place + 1 :]
                break
            if character == "@":
                name = value[:place]
                return _named(name, self._content_of(value[place + 1 :]))
        return _named(name, content.encode(errors="surrogateescape"))


def _named(name: str, content: bytes) -> bytes:
    encoded = quote_from_bytes(content, safe="").replace("%20", "+")
    return (f"{name}={encoded}" if name else encoded).encode(errors="surrogateescape")


def _require_path(path: str) -> None:
    if path == "-":
        raise ValueError("reads the standard input, which cannot be read here")
