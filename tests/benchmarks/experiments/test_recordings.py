"""The size of a recording is that of its arrays."""

from async_api.load.recording import Recording
from benchmarks.experiments.recordings import size_of


def test_a_recording_takes_25_bytes_a_request_and_what_it_reserves() -> None:
    recording = Recording()
    for number in range(100_000):
        recording.add(number, number, number, number, 2, 200, 0, 0, 0)

    assert 2_500_000 < size_of(recording) < 2_500_000 * 1.2
