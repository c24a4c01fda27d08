"""A run as CSV: a line for each request, in the order recorded.

Times are microseconds; an empty field is something that did not happen. Warm-up requests
are included and marked.
"""

import csv
import io
from collections.abc import Iterator

from async_api.load.recording import NEVER, Flag
from async_api.load.result.outcomes import (
    Kind,
    check_name,
    classifier,
    failure_kind,
)
from async_api.load.run import Run

FIELDS = (
    "request",
    "planned",
    "sent",
    "first_byte",
    "ended",
    "from_plan",
    "from_send",
    "bytes",
    "status",
    "outcome",  # success, error, shed, cancelled, or the kind of a failure
    "failed_check",
    "new_connection",
    "none_free",
    "warm_up",
)
LINES = 1000  # in one block


def csv_lines(run: Run) -> Iterator[str]:
    """The header, then blocks of up to LINES lines (RFC 4180, ended by CRLF)."""
    classify = classifier(run.plan)
    names = [_as_text(request.name) for request in run.plan.requests]
    recording = run.recording
    block = io.StringIO(newline="")
    writer = csv.writer(block)
    writer.writerow(FIELDS)
    for index in range(len(recording)):
        if index % LINES == 0:
            yield block.getvalue()
            block.seek(0)
            block.truncate()
        planned = recording.planned[index]
        sent = recording.sent[index]
        ended = recording.ended[index]
        outcome = recording.outcome[index]
        check = recording.failed_check[index]
        request = recording.request[index]
        flags = recording.flags[index]
        kind = classify(outcome, check, request)
        writer.writerow(
            (
                names[request],
                planned,
                _time(sent),
                _time(recording.first_byte[index]),
                _time(ended),
                "" if ended == NEVER else ended - planned,
                "" if NEVER in (ended, sent) else ended - sent,
                recording.size[index],
                outcome if outcome > 0 else "",
                failure_kind(outcome) if kind.failed else Kind(kind).name.lower(),
                check_name(check),
                int(bool(flags & Flag.NEW_CONNECTION)),
                int(bool(flags & Flag.NONE_FREE)),
                int(bool(flags & Flag.WARM_UP)),
            )
        )
    yield block.getvalue()


def _time(microseconds: int) -> int | str:
    return "" if microseconds == NEVER else microseconds


def _as_text(name: str) -> str:
    """Spreadsheets take what begins with one of these for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
