"""CSV has a line for each request."""

import csv

from async_api.load.recording import FailedCheck, Flag, Outcome
from async_api.load.result.formats.csv_lines import FIELDS, LINES, csv_lines
from async_api.load.run import Run
from tests.async_api.load.result.runs import Sent, a_plan, a_request, a_run


def rows(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(csv_lines(run)).splitlines()))


def test_each_request_is_a_line_in_microseconds() -> None:
    run = a_run(
        [
            Sent(planned=100, late=5, time=20, wait=15, flags=Flag.NEW_CONNECTION),
            Sent(outcome=Outcome.SHED, flags=Flag.NONE_FREE | Flag.WARM_UP),
            Sent(failed_check=FailedCheck.SIZE),
            Sent(outcome=404),
        ]
    )

    first, shed, unexpected, error = rows(run)

    assert list(first.values()) == [
        *("GET /", "100", "105", "120", "125", "25", "20"),
        *("100", "200", "success", "", "1", "0", "0"),
    ]
    assert list(shed.values()) == [
        *("GET /", "0", "", "", "", "", "", "100", "", "shed", "", "0", "1", "1"),
    ]
    assert (unexpected["outcome"], unexpected["failed_check"]) == ("unexpected", "size")
    assert (error["outcome"], error["status"]) == ("error", "404")


def test_a_long_run_comes_in_blocks() -> None:
    blocks = list(csv_lines(a_run([Sent()] * (LINES + 1))))

    assert [block.count("\r\n") for block in blocks] == [1, LINES, 1]
    assert blocks[0] == ",".join(FIELDS) + "\r\n"


def test_a_name_is_not_a_formula_in_a_spreadsheet() -> None:
    (row,) = rows(a_run([Sent()], a_plan(None, a_request("=1+1"))))

    assert row["request"] == "'=1+1"
