"""Problem details, the format of errors (RFC 9457)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 5

# Characters of a client's value that an error repeats, and of a whole message.
MAX_ECHO = 200
MAX_DETAIL = 2000


def shortened(text: str, most: int = MAX_ECHO) -> str:
    """The text, or its beginning with an ellipsis, in at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid value: its name, the value, and what would be valid."""

    field: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """An error as the client sees it.

    The type is ``about:blank``: the status names the kind of error, and the detail says
    what was wrong with this request. ``errors`` is an extension member.
    """

    status: int
    detail: str
    errors: Sequence[FieldError] = ()

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def document(self) -> bytes:
        """The JSON document that RFC 9457 defines."""
        members: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = [asdict(error) for error in self.errors]
        return json.dumps(members).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The header fields that describe the document, in the form of ASGI."""
        return [
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(self.document())),
        ]
