"""Log lines of bounded length, without control characters.

Much of what is logged was sent by a client: a path, a header field, a value in an
exception's message.
"""

import logging
from types import TracebackType
from typing import Any

from async_views.runtime.asgi.problem_details import shortened

MAX_LINE = 2000

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
)


def printable(text: str) -> str:
    """The text with its control characters escaped, and shortened."""
    text = shortened(text, MAX_LINE)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class BoundedFormatter(logging.Formatter):
    """Keeps a message on one line, and each line of a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        lines = super().formatException(ei).split("\n")
        return "\n".join(map(printable, lines))


class RefusalsWithoutTraceback(logging.Filter):
    """Drops the traceback of a request that was answered 4xx, and keeps the line.

    A client can cause any number of these, at forty lines each, and none is a bug.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True
