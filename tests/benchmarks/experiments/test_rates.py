"""Rate and lateness of a recording, computed by hand."""

from async_api.load.recording import NEVER, Recording
from benchmarks.experiments.rates import lateness, rate_sent


def recording(*times: tuple[int, int]) -> Recording:
    """Of requests that were planned and sent at these times."""
    made = Recording()
    for planned, sent in times:
        made.add(planned, sent, sent, sent, 0, 200, 0, 0, 0)
    return made


def test_the_rate_is_that_of_the_intervals_between_requests() -> None:
    # Three requests have two intervals: two in 4 ms.
    assert rate_sent(recording((0, 100), (2_000, 2_150), (4_000, 4_100))) == 500


def test_lateness_leaves_out_what_was_not_sent() -> None:
    assert lateness(recording((0, 9), (5, 5), (7, NEVER), (10, 13))) == [0, 3, 9]
