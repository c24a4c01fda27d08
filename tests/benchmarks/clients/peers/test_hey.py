"""The report of hey is read correctly."""

import pytest

from benchmarks.clients.peers.hey import command, parse
from benchmarks.clients.run import RunFailed

# hey 0.1.4 of Debian 12, shortened.
REPORT = """\

Summary:
  Total:	2.0418 secs
  Slowest:	0.1492 secs
  Fastest:	0.0014 secs
  Average:	0.0197 secs
  Requests/sec:	3202.0713

  Total data:	13076 bytes
  Size/request:	2 bytes

Latency distribution:
  50% in 0.0177 secs
  99% in 0.0593 secs

Details (average, fastest, slowest):
  resp wait:	0.0196 secs, 0.0014 secs, 0.1450 secs

Status code distribution:
  [200]	6538 responses



"""


def test_it_is_asked_for_connections_and_seconds_on_one_core() -> None:
    assert command("hey", "http://127.0.0.1/", 64, 2) == (
        *("hey", "-cpus", "1", "-c", "64", "-z", "2s", "http://127.0.0.1/"),
    )


def test_the_rate_is_read() -> None:
    assert parse(REPORT) == 3202.0713


@pytest.mark.parametrize(
    "trouble",
    [
        "  [503]\t7 responses",
        "\nError distribution:\n  [7]\tGet http://127.0.0.1/: EOF",
    ],
)
def test_a_run_with_failures_is_refused(trouble: str) -> None:
    with pytest.raises(RunFailed, match="not every request"):
        parse(f"{REPORT.rstrip()}\n{trouble}\n")


def test_a_report_without_a_rate_is_refused() -> None:
    with pytest.raises(RunFailed, match="cannot be read"):
        parse("")
