"""The report of aiolocust is read correctly."""

import pytest

from benchmarks.clients.peers.aiolocust import parse
from benchmarks.clients.run import RunFailed

# aiolocust 0.12.7.
REPORT = """\
 Name  ┃ Count ┃ Failures ┃    Avg ┃     Max ┃     Rate ┃ Current rate
━━━━━━━╇━━━━━━━╇━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━━━━
 GET / │  1258 │ 0 (0.0%) │ 97.8ms │ 186.0ms │ 620.45/s │     620.45/s
 Total │  1258 │ 0 (0.0%) │ 97.8ms │ 186.0ms │ 620.45/s │     620.45/s
{
  "start_time": 1795624673.7319577,
  "end_time": 1795624676.756639,
  "elapsed": 3.024681329727173,
  "total": {
    "name": "Total",
    "count": 2072,
    "errorcount": 0,
    "sum_ttlb": 188.76539822600014,
    "max_ttlb": 0.211036258,
    "rate": 685.0308426332288
  },
  "requests": []
}
"""


def test_the_rate_is_read_from_the_document_after_the_tables() -> None:
    assert parse(REPORT) == 685.0308426332288


def test_a_run_with_failures_is_refused() -> None:
    with pytest.raises(RunFailed, match="7 requests failed"):
        parse(REPORT.replace('"errorcount": 0', '"errorcount": 7'))


@pytest.mark.parametrize("report", ["", "{}", "{"])
def test_another_report_is_refused(report: str) -> None:
    with pytest.raises(RunFailed, match="cannot be read"):
        parse(report)
