"""The report of autocannon is read correctly."""

import pytest

from benchmarks.clients.peers.autocannon import command, parse
from benchmarks.clients.run import RunFailed

# autocannon 9.0.0, shortened.
REPORT = """\
{"url":"http://127.0.0.1:33607/","connections":64,"sampleInt":1000,"pipelining":1,\
"workers":0,"duration":2.12,"samples":2,"errors":0,"timeouts":0,"mismatches":0,\
"non2xx":0,"resets":0,"1xx":0,"2xx":6828,"3xx":0,"4xx":0,"5xx":0,\
"requests":{"average":3414,"mean":3414,"min":1718,"max":5110,"total":6828,"sent":6892}}
"""


def test_it_is_asked_for_connections_and_seconds() -> None:
    assert command("autocannon", "http://127.0.0.1/", 64, 2) == (
        *("autocannon", "--json", "--connections", "64", "--duration", "2"),
        "http://127.0.0.1/",
    )


def test_the_rate_is_that_of_the_whole_time_and_not_of_its_seconds() -> None:
    assert parse(REPORT) == 6828 / 2.12


@pytest.mark.parametrize("trouble", ["errors", "timeouts", "non2xx"])
def test_a_run_with_failures_is_refused(trouble: str) -> None:
    with pytest.raises(RunFailed, match="7 requests failed"):
        parse(REPORT.replace(f'"{trouble}":0', f'"{trouble}":7'))


@pytest.mark.parametrize("report", ["", "{}"])
def test_another_report_is_refused(report: str) -> None:
    with pytest.raises(RunFailed, match="cannot be read"):
        parse(report)
