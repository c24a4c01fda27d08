import logging
import sys

from async_views.runtime.asgi.log_lines import (
    MAX_LINE,
    BoundedFormatter,
    RefusalsWithoutTraceback,
)


def record(message: str, *, failing: str = "", **more: object) -> logging.LogRecord:
    information = None
    if failing:
        try:
            raise ValueError(failing)
        except ValueError:
            information = sys.exc_info()
    made = logging.LogRecord("site", 40, "a.py", 1, message, None, information)
    made.__dict__ |= more
    return made


def test_a_message_stays_on_one_line_without_control_characters() -> None:
    line = BoundedFormatter().format(record("a\r\n[INFO] forged\x1b[2J\u202e"))

    assert line == r"a\x0d\x0a[INFO] forged\x1b[2J\x202e"


def test_a_line_and_those_of_a_traceback_are_bounded() -> None:
    lines = BoundedFormatter().format(record("a" * 10**6, failing="b" * 10**6))

    assert "…" in lines
    assert "ValueError: bbb" in lines
    assert max(map(len, lines.split("\n"))) <= MAX_LINE


def test_only_server_errors_keep_their_traceback() -> None:
    keep = RefusalsWithoutTraceback().filter
    bug, refusal = record("a", failing="b"), record("a", failing="b", status_code=400)
    failure = record("a", failing="b", status_code=500)

    assert keep(bug) and keep(refusal) and keep(failure)
    assert bug.exc_info
    assert failure.exc_info
    assert refusal.exc_info is None
