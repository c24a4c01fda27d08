"""The memory that a recording takes up."""

import subprocess
import sys

from async_api.load.recording import COLUMNS, Recording

MEGABYTE = 1_000_000


def filled(count: int) -> Recording:
    recording = Recording()
    for number in range(count):
        recording.add(number, number, number, number, 2, 200, 0, 0, 0)
    return recording


def test_the_columns_are_those_that_are_documented() -> None:
    recording = filled(3)

    assert len(recording) == 3
    for name, code in COLUMNS.items():
        column = getattr(recording, name)
        assert (column.typecode, len(column)) == (code, 3)


def test_a_million_requests_take_at_most_32_megabytes_of_a_process() -> None:
    # Measured at its peak, so that growing the arrays is counted too.
    code = """
from pathlib import Path
from tests.async_api.load.test_recording import filled
def peak():
    found = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return int(found.split()[0]) * 1024
filled(1000)
before = peak()
recording = filled(1_000_000)
print(peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert 25 * MEGABYTE <= int(done.stdout) <= 32 * MEGABYTE
