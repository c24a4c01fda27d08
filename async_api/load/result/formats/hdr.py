"""Latencies as an HdrHistogram log: a line per second and latency, for other tools.

Only successes are in it. Values are microseconds from 1 to 1 h with 3 significant digits.
Formats: the V2 encoding of HdrHistogram's `EncodableHistogram`, compressed with zlib, and
version 1.3 of its `HistogramLogWriter`. The two latencies have the tags `plan` and `send`.
"""

import struct
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from async_api.load.plan.pace import SECOND
from async_api.load.recording import Flag
from async_api.load.result.outcomes import Kind, classifier
from async_api.load.run import Run

LOWEST = 1
HIGHEST = 3_600_000_000  # 1 h
DIGITS = 3
# Values below 2,048 are exact; then each doubling has 1,024 counts, so that a value
# differs from its bucket by less than 1 in 1,000.
_SUB_BUCKET_BITS = 11
_HALF_COUNT = 1 << (_SUB_BUCKET_BITS - 1)
_COOKIE = 0x1C849303 | 0x10
_COMPRESSED_COOKIE = 0x1C849304 | 0x10


def hdr_lines(run: Run) -> Iterator[str]:
    """The lines of the log, each with its line break."""
    began = datetime.fromtimestamp(run.began, UTC).isoformat()
    yield "#[Histogram log format version 1.3]\n"
    yield f"#[StartTime: {run.began:.3f} (seconds since epoch), {began}]\n"
    yield f"#[BaseTime: {run.began:.3f} (seconds since epoch)]\n"
    yield (
        '"StartTimestamp","Interval_Length","Interval_Max",'
        '"Interval_Compressed_Histogram"\n'
    )
    for second, tags in sorted(_times(run).items()):
        for tag, times in tags.items():
            # The maximum is in milliseconds, as in logs of other tools.
            yield (
                f"Tag={tag},{second}.000,1.000,{max(times) / 1000:.3f},"
                f"{encode(times)}\n"
            )


def encode(times: Mapping[int, int]) -> str:
    """How often each time occurred, as compressed V2 in Base64."""
    counts = Counter[int]()
    for time, count in times.items():
        counts[counts_index(time)] += count
    payload = _runs(counts)
    header = struct.pack(
        ">iiiiqqd", _COOKIE, len(payload), 0, DIGITS, LOWEST, HIGHEST, 1.0
    )
    compressed = zlib.compress(header + payload)
    return b64encode(
        struct.pack(">ii", _COMPRESSED_COOKIE, len(compressed)) + compressed
    ).decode()


def counts_index(time: int) -> int:
    """The position of a time among the counts of a histogram."""
    value = min(max(time, 0), HIGHEST)
    bucket = max(0, value.bit_length() - _SUB_BUCKET_BITS)
    return (bucket + 1) * _HALF_COUNT + (value >> bucket) - _HALF_COUNT


def _times(run: Run) -> dict[int, dict[str, Counter[int]]]:
    """How often each latency occurred, by the second in which it ended, and by tag."""
    classify = classifier(run.plan)
    recording = run.recording
    found: dict[int, dict[str, Counter[int]]] = {}
    for planned, sent, ended, outcome, check, request, flags in zip(
        recording.planned,
        recording.sent,
        recording.ended,
        recording.outcome,
        recording.failed_check,
        recording.request,
        recording.flags,
        strict=True,
    ):
        if outcome <= 0 or flags & Flag.WARM_UP.value:
            continue
        if classify(outcome, check, request) is not Kind.SUCCESS:
            continue
        tags = found.get(ended // SECOND)
        if tags is None:
            tags = {"plan": Counter(), "send": Counter()}
            found[ended // SECOND] = tags
        tags["plan"][ended - planned] += 1
        tags["send"][ended - sent] += 1
    return found


def _runs(counts: Mapping[int, int]) -> bytes:
    """Counts in order; a negative number stands for that many zeros."""
    encoded = bytearray()
    position = 0
    for index, count in sorted(counts.items()):
        zeros = index - position
        if zeros:
            encoded += _zigzag(-zeros if zeros > 1 else 0)
        encoded += _zigzag(count)
        position = index + 1
    return bytes(encoded)


def _zigzag(number: int) -> bytes:
    """ZigZag LEB128 of numbers below 2**55, for which it equals HdrHistogram's LEB128-64b9B."""
    rest = (number << 1) ^ (number >> 63)
    encoded = bytearray()
    while rest >= 0x80:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
