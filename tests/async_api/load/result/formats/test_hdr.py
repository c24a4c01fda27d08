"""The HdrHistogram log is read back by an independent reader."""

from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given
from hypothesis import strategies as st

from async_api.load.recording import Flag, Outcome
from async_api.load.result.formats.hdr import DIGITS, HIGHEST, LOWEST, encode, hdr_lines
from tests.async_api.load.result.runs import MS, SECOND, Sent, a_run


def test_a_log_has_both_latencies_of_each_second(tmp_path: Path) -> None:
    run = a_run(
        [
            Sent(time=10 * MS, late=5 * MS),
            Sent(time=20 * MS, late=5 * MS),
            Sent(planned=2 * SECOND, time=1 * MS),
            Sent(outcome=500),
            Sent(outcome=Outcome.TIMEOUT),
            Sent(flags=Flag.WARM_UP),
        ]
    )
    path = tmp_path / "run.hdr"
    path.write_text("".join(hdr_lines(run)))

    reader = HistogramLogReader(str(path), HdrHistogram(LOWEST, HIGHEST, DIGITS))
    found: list[Any] = []
    while (histogram := reader.get_next_interval_histogram()) is not None:
        found.append(histogram)
    reader.input_file.close()

    assert reader.get_start_time_sec() == run.began
    assert [(each.get_tag(), each.get_total_count()) for each in found] == [
        *(("plan", 2), ("send", 2), ("plan", 1), ("send", 1))
    ]
    assert [each.get_start_time_stamp() for each in found[::2]] == [
        run.began * 1000,
        (run.began + 2) * 1000,
    ]
    assert found[0].get_max_value() == pytest.approx(25 * MS, rel=0.001)
    assert found[1].get_max_value() == pytest.approx(20 * MS, rel=0.001)


@given(
    st.dictionaries(
        st.integers(1, HIGHEST), st.integers(1, 10**12), min_size=1, max_size=30
    )
)
def test_every_count_is_read_back_where_the_reader_itself_records_it(
    times: dict[int, int],
) -> None:
    expected = HdrHistogram(LOWEST, HIGHEST, DIGITS)
    for time, count in times.items():
        expected.record_value(time, count)

    found = HdrHistogram.decode(encode(times))

    assert found.get_total_count() == expected.get_total_count()
    for percent in (0, 25, 50, 90, 99, 99.9, 100):
        assert found.get_value_at_percentile(
            percent
        ) == expected.get_value_at_percentile(percent)


def test_longer_than_an_hour_is_counted_as_an_hour() -> None:
    found = HdrHistogram.decode(encode({2 * HIGHEST: 1}))

    assert found.get_max_value() == pytest.approx(HIGHEST, rel=0.001)
