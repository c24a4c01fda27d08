"""The report of wrk is parsed correctly."""

import pytest

from benchmarks.clients.run import Run, RunFailed
from benchmarks.clients.wrk import parse, parse_load

REPORT = """\
Running 3s test @ http://127.0.0.1:9902/
  1 threads and 200 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    51.09ms    0.89ms  56.04ms   80.97%
    Req/Sec     3.87k   437.63     4.34k    86.67%
  Latency Distribution
     50%   50.95ms
     75%   51.40ms
     90%   51.99ms
     99%    1.20s
  11600 requests in 3.02s, 747.66KB read
Requests/sec:   3846.51
Transfer/sec:    247.92KB
"""


def test_rate_and_percentiles_are_read_in_any_unit() -> None:
    assert parse(REPORT) == Run(3846.51, p50=50_950, p99=1_200_000)
    assert parse(REPORT.replace("50.95ms", "390.40us")).p50 == 390


@pytest.mark.parametrize(
    "trouble",
    [
        "Socket errors: connect 0, read 3, write 0, timeout 0",
        "Non-2xx or 3xx responses: 7",
    ],
)
def test_a_run_with_failures_is_refused(trouble: str) -> None:
    with pytest.raises(RunFailed, match=trouble):
        parse(REPORT.replace("Requests/sec", f"  {trouble}\nRequests/sec"))


def test_a_report_without_percentiles_is_refused() -> None:
    with pytest.raises(RunFailed, match="cannot be read"):
        parse(REPORT.replace("99%", "98%"))


def test_a_load_counts_responses_and_errors() -> None:
    trouble = """\
  Socket errors: connect 1, read 30, write 0, timeout 2
  Non-2xx or 3xx responses: 7
"""

    assert parse_load(REPORT).answers == 11600
    assert parse_load(REPORT).errors == 0
    assert parse_load(REPORT + trouble).errors == 40
