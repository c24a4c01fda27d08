"""What a line of the log may be: of bounded length, on one line, and in its place.

Much of what is logged was sent by somebody: a path, a header field, the value that an
exception complains of.
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
    """A message becomes one line; of a traceback, each line stays one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        lines = super().formatException(ei).split("\n")
        return "\n".join(map(printable, lines))


class RefusalsWithoutTraceback(logging.Filter):
    """Keeps the line about a request that was answered 4xx, and drops its traceback.

    What anybody can send is nobody's bug, and each would be forty lines.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True
