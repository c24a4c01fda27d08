"""The report of ab is read correctly."""

import pytest

from benchmarks.clients.peers.ab import command, parse
from benchmarks.clients.run import RunFailed

# ApacheBench 2.3 of Debian 12, shortened.
REPORT = """\
Benchmarking 127.0.0.1 (be patient).....done

Server Software:        uvicorn
Concurrency Level:      64
Time taken for tests:   2.003 seconds
Complete requests:      2533
Failed requests:        0
Keep-Alive requests:    0
Total transferred:      352226 bytes
HTML transferred:       5068 bytes
Requests per second:    1264.43 [#/sec] (mean)
Time per request:       50.616 [ms] (mean)
Transfer rate:          171.70 [Kbytes/sec] received
"""


def test_the_time_ends_its_run_and_not_its_number_of_requests() -> None:
    words = command("ab", "http://127.0.0.1/", 64, 2)

    # -t sets -n, so that -n has to come after it.
    assert words.index("-t") < words.index("-n")
    assert "-k" in words


def test_the_rate_is_read() -> None:
    assert parse(REPORT) == 1264.43


@pytest.mark.parametrize(
    "trouble", ["Failed requests:        7", "Non-2xx responses:      7"]
)
def test_a_run_with_failures_is_refused(trouble: str) -> None:
    with pytest.raises(RunFailed, match=trouble):
        parse(REPORT.replace("Failed requests:        0", trouble))


def test_a_report_without_a_rate_is_refused() -> None:
    with pytest.raises(RunFailed, match="cannot be read"):
        parse("apr_socket_recv: Connection refused (111)")
