"""Responses for a file in memory: gzip, conditional requests and ranges.

RFC 9110 defines them in sections 12.5.3, 13 and 14.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from mimetypes import MimeTypes

from django.utils.http import http_date, parse_etags, parse_http_date_safe

from async_views.runtime.asgi.problem_details import ProblemDetails
from async_views.runtime.asgi.types import Headers

# Python's own list, not the machine's, so that all machines agree; and what the oldest
# supported Python lacks or has otherwise.
MEDIA_TYPES = MimeTypes()
for _ending, _media_type in {
    ".avif": "image/avif",
    ".js": "text/javascript",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}.items():
    MEDIA_TYPES.add_type(_media_type, _ending)

# A length in bytes does not have more digits.
ONE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
NO_WEIGHT = re.compile(r"q\s*=\s*0(\.0*)?")
NOT_OF_A_304 = frozenset({b"content-type", b"content-length", b"content-encoding"})


@dataclass(frozen=True)
class StaticResponse:
    """A response, with header names in lower case, as in ASGI."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Representation:
    """A file's bytes in one coding, and the headers of a complete response."""

    body: bytes
    etag: str
    headers: Headers


@dataclass(frozen=True)
class MemoryFile:
    """``modified`` is in whole seconds since 1970; ``common`` are headers of all responses.

    ``zipped`` is None if gzip would save hardly anything.
    """

    plain: Representation
    zipped: Representation | None
    modified: int
    common: Headers


def memory_file(
    name: str,
    content: bytes,
    zipped: bytes | None,
    modified: float,
    cache_control: str,
    common: Headers,
) -> MemoryFile:
    """A file ready to be served, with a media type guessed from its name."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    shared = [
        *common,
        (b"content-type", media_type(name).encode()),
        (b"cache-control", cache_control.encode()),
        (b"last-modified", http_date(int(modified)).encode()),
        (b"accept-ranges", b"bytes"),
    ]
    if zipped is not None:
        shared.append((b"vary", b"accept-encoding"))

    def represent(
        body: bytes, etag: str, *coding: tuple[bytes, bytes]
    ) -> Representation:
        length = (b"content-length", str(len(body)).encode())
        headers = [*shared, *coding, (b"etag", etag.encode()), length]
        return Representation(body, etag, headers)

    plain = represent(content, f'"{digest}"')
    if zipped is None:
        return MemoryFile(plain, None, int(modified), common)
    coding = (b"content-encoding", b"gzip")
    smaller = represent(zipped, f'"{digest}-gzip"', coding)
    return MemoryFile(plain, smaller, int(modified), common)


def media_type(name: str) -> str:
    guessed, coding = MEDIA_TYPES.guess_type(name)
    if guessed is None or coding is not None:
        return "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def compress(content: bytes) -> bytes | None:
    """The content as gzip; None if that is not at least a tenth smaller."""
    zipped = gzip.compress(content, mtime=0)
    return zipped if len(zipped) < 0.9 * len(content) else None


def respond(file: MemoryFile, method: str, fields: Mapping[str, str]) -> StaticResponse:
    """``fields`` are the request's headers, with names in lower case."""
    if method not in ("GET", "HEAD"):
        return refuse(file, method)
    spans = fields.get("range") if method == "GET" else None
    chosen = file.plain
    # A range is of the plain file, so that all parts a client combines have one coding.
    if (
        file.zipped
        and spans is None
        and accepts_gzip(fields.get("accept-encoding", ""))
    ):
        chosen = file.zipped
    if is_unchanged(chosen, file.modified, fields):
        kept = [header for header in chosen.headers if header[0] not in NOT_OF_A_304]
        return StaticResponse(304, kept, b"")
    if spans is not None and fields.get("if-range", chosen.etag) == chosen.etag:
        span = byte_range(spans, len(chosen.body))
        if span is not None:
            return part(chosen, span)
    return StaticResponse(200, chosen.headers, chosen.body if method == "GET" else b"")


def refuse(file: MemoryFile, method: str) -> StaticResponse:
    problem = ProblemDetails(
        405, f"{method} is not allowed for files; allowed: GET, HEAD."
    )
    headers = [*problem.headers(), (b"allow", b"GET, HEAD"), *file.common]
    return StaticResponse(405, headers, problem.document())


def part(whole: Representation, span: range) -> StaticResponse:
    """The bytes of the span, or 416 if it is empty."""
    size = len(whole.body)
    body = whole.body[span.start : span.stop]
    extent = f"{span.start}-{span.stop - 1}" if body else "*"
    headers = [header for header in whole.headers if header[0] != b"content-length"]
    headers += [
        (b"content-range", f"bytes {extent}/{size}".encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    return StaticResponse(206 if body else 416, headers, body)


def accepts_gzip(accepted: str) -> bool:
    wanted = {}
    for item in accepted.lower().split(","):
        coding, *parameters = (piece.strip() for piece in item.split(";"))
        wanted[coding] = not any(map(NO_WEIGHT.fullmatch, parameters))
    return wanted.get("gzip", wanted.get("*", False))


def is_unchanged(
    chosen: Representation, modified: int, fields: Mapping[str, str]
) -> bool:
    """Whether the client has it already, by entity tag if it sent one, else by date."""
    known = fields.get("if-none-match")
    if known is not None:
        tags = [tag.removeprefix("W/") for tag in parse_etags(known)]
        return "*" in tags or chosen.etag in tags
    since = parse_http_date_safe(fields.get("if-modified-since", ""))
    return since is not None and modified <= since


def byte_range(requested: str, size: int) -> range | None:
    """The requested bytes of `size` bytes; empty if there are none of them.

    None if it is not one range of bytes; a server may then send the whole file.
    """
    match = ONE_RANGE.fullmatch(requested.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)
