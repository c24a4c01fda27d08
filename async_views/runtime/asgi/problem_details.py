"""What is said when something is wrong: RFC 9457 problem details."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 5

# Characters of what a client sent that it is told again, and of a whole sentence.
MAX_ECHO = 200
MAX_DETAIL = 2000


def shortened(text: str, most: int = MAX_ECHO) -> str:
    """The text, or its beginning and an ellipsis, in at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad value: which, what it was, and what would be right."""

    field: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """An error as it is told to the client.

    Its type is ``about:blank``: the status says what kind of error it is, and the
    detail what was wrong with this request. ``errors`` is an extension member.
    """

    status: int
    detail: str
    errors: Sequence[FieldError] = ()

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def document(self) -> bytes:
        """The problem as the JSON document RFC 9457 defines."""
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
        """The header fields that describe the document, as ASGI has them."""
        return [
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(self.document())),
        ]
