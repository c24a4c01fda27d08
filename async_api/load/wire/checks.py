"""The checks of a plan's request, prepared for responses that arrive by the thousand."""

import re
import zlib
from codecs import lookup
from dataclasses import dataclass

from async_api.load.plan.plan import Checks
from async_api.load.recording import FailedCheck
from async_api.load.wire.head import Head

# How much of a body remains to be searched after it was decompressed.
MAX_TEXT_BYTES = 1_048_576

_COMPRESSED = re.compile(
    rb"\ncontent-encoding:[ \t]*(?:x-)?(?:gzip|deflate)[ \t]*\r?\n", re.IGNORECASE
)
# Of zlib: the format is that of zlib or gzip, whichever the data has.
_EITHER = 32 + zlib.MAX_WBITS
_CHARSET = re.compile(r";\s*charset=\"?([!#$%&'*+.^_`|~0-9A-Za-z-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CompiledChecks:
    """Checks in the order in which they are tried: what costs least first."""

    statuses: frozenset[int] | None
    header: re.Pattern[bytes] | None  # found in a head that has the field
    minimum_bytes: int
    maximum_bytes: int | None
    contains: str
    matches: re.Pattern[str] | None

    @property
    def need_body(self) -> bool:
        return bool(self.contains) or self.matches is not None

    def first_failed(self, head: Head, size: int, body: bytes | bytearray) -> int:
        """The first FailedCheck of a response, or FailedCheck.NONE.

        ``body`` may be empty where no check needs it, and end before ``size``.
        """
        if self.statuses is not None and head.status not in self.statuses:
            return FailedCheck.STATUS
        if self.header is not None and not self.header.search(head.data):
            return FailedCheck.HEADER
        if size < self.minimum_bytes or (
            self.maximum_bytes is not None and size > self.maximum_bytes
        ):
            return FailedCheck.SIZE
        if not self.need_body:
            return FailedCheck.NONE
        text = _text(head, body)
        if self.contains and self.contains not in text:
            return FailedCheck.CONTAINS
        if self.matches is not None and not self.matches.search(text):
            return FailedCheck.MATCHES
        return FailedCheck.NONE


def compile_checks(checks: Checks) -> CompiledChecks | None:
    """Prepare checks; None where every response passes. Raises re.error."""
    if checks == Checks():
        return None
    return CompiledChecks(
        checks.statuses,
        _field(checks.header) if checks.header else None,
        checks.minimum_bytes or 0,
        checks.maximum_bytes,
        checks.contains,
        re.compile(checks.matches) if checks.matches else None,
    )


def _field(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"\n" + re.escape(name.encode()) + rb":", re.IGNORECASE)


def _text(head: Head, body: bytes | bytearray) -> str:
    """The body by its charset, or as UTF-8; other bytes become U+FFFD.

    Decompressed from gzip or deflate, the codings that Python has.
    """
    if _COMPRESSED.search(head.data):
        try:
            body = zlib.decompressobj(_EITHER).decompress(body, MAX_TEXT_BYTES)
        except zlib.error:
            pass  # it is searched as it was sent
    found = _CHARSET.search(head.content_type)
    try:
        return body.decode(lookup(found[1] if found else "utf-8").name, "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")
