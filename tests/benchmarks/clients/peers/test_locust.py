"""The report of Locust is read correctly."""

import pytest

from benchmarks.clients.peers.locust import command, parse
from benchmarks.clients.run import RunFailed

# Locust 2.47.0, shortened.
REPORT = """\
[
    {
        "name": "/",
        "method": "GET",
        "last_request_timestamp": 1795624485.5,
        "start_time": 1795624483.5,
        "num_requests": 1808,
        "num_none_requests": 0,
        "num_failures": 0,
        "total_response_time": 109572.98793803784,
        "response_times": {"29": 16, "30": 17}
    }
]
"""


def test_it_is_run_by_the_environment_in_which_it_is_installed() -> None:
    words = command("/folder/bin/python", "http://127.0.0.1:80/", 64, 2)

    assert words[0] == "/folder/bin/locust"
    # A host with a slash makes it ask for //.
    assert words[-2:] == ("--host", "http://127.0.0.1:80")


def test_the_rate_is_that_between_the_first_and_the_last_request() -> None:
    assert parse(REPORT) == 904


def test_a_run_with_failures_is_refused() -> None:
    with pytest.raises(RunFailed, match="7 requests failed"):
        parse(REPORT.replace('"num_failures": 0', '"num_failures": 7'))


@pytest.mark.parametrize("report", ["", "[]", "[{}]"])
def test_another_report_is_refused(report: str) -> None:
    with pytest.raises(RunFailed, match="cannot be read"):
        parse(report)
