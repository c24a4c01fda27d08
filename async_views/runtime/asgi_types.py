"""Which shapes cross the edge between the server and the site?"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

# Django's handler is typed with these, and fits them; asgiref's own types it does not.
Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """An error told to the client as problem details (RFC 9457).

    Its type is ``about:blank``: the status says what kind of error it is, and the
    detail what was wrong with this request.
    """

    status: int
    detail: str

    def document(self) -> bytes:
        """The problem as the JSON document RFC 9457 defines."""
        return json.dumps(
            {
                "type": "about:blank",
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
            }
        ).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The header fields that describe the document."""
        return [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(self.document())),
        ]
