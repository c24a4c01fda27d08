"""How long did the answers of a probe take, as a histogram for a template to draw?"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from async_api.axis import Tick, TimeAxis, round_step, round_values
from async_api.duration import duration
from async_api.probe.measurement import Latency, Sample, latency
from async_api.text_equivalent import Table, request_count

HEIGHT = 200  # pixels
LEAST_PIXELS = 2.0  # less would vanish
# Room for a stack of two columns of the least height beside the tallest.
FULL_COLUMN = HEIGHT - 2 * LEAST_PIXELS

# Where the slowest took this many times the fastest, a linear axis hides the crowd.
WIDEST_LINEAR_SPREAD = 20
MOST_BINS = 24
# Ten and five a decade as ISO 3 rounds them: equally wide on a logarithmic axis, so that
# no column is taller only because it is wider.
PREFERRED_NUMBERS = (
    (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8),
    (1, 1.6, 2.5, 4, 6.3),
)
# A narrower axis would blow noise up until it looks like news.
NARROWEST_SPAN = 0.1


@dataclass(frozen=True, slots=True)
class Bin:
    """How many requests took at least `lower` and less than `upper` microseconds."""

    lower: int
    upper: int
    succeeded: int  # answered with 2xx or 3xx
    other: int  # answered with 4xx or 5xx

    @property
    def label(self) -> str:
        return f"{duration(self.lower, 6)} to {duration(self.upper, 6)}"


@dataclass(frozen=True, slots=True)
class Column:
    """A bin's requests of one kind, "succeeded" or "other", as a rectangle."""

    kind: str
    x: float  # percent
    width: float  # percent
    y: float  # pixels
    height: float  # pixels


@dataclass(frozen=True, slots=True)
class Distribution:
    """The response times of all answers as a histogram, stacked in two kinds."""

    summary: str
    table: Table
    axis: TimeAxis | None  # None when nothing was answered
    bins: tuple[Bin, ...]
    columns: tuple[Column, ...]
    markers: tuple[Tick, ...]  # percentiles of the answers that succeeded
    count_ticks: tuple[Tick, ...]
    height: int = HEIGHT

    @property
    def has_others(self) -> bool:
        return any(each.other for each in self.bins)


def distribution(samples: Sequence[Sample]) -> Distribution:
    """Draw how long the answers took; failures have no response time."""
    succeeded = [sample.time for sample in samples if sample.succeeded]
    other = [
        sample.time for sample in samples if sample.answered and not sample.succeeded
    ]
    bins, axis = _bins(succeeded, other)
    tallest = max((each.succeeded + each.other for each in bins), default=0)
    good = latency(succeeded)
    return Distribution(
        summary=_summary(good, len(other), bins),
        table=Table(
            ("Response time", "answered 2xx or 3xx", "answered 4xx or 5xx"),
            tuple(
                (each.label, f"{each.succeeded:,}", f"{each.other:,}") for each in bins
            ),
        ),
        axis=axis,
        bins=bins,
        columns=_columns(bins, axis, tallest) if axis else (),
        markers=_markers(good, axis) if axis and good else (),
        count_ticks=_count_ticks(tallest),
    )


def _bins(
    succeeded: Sequence[int], other: Sequence[int]
) -> tuple[tuple[Bin, ...], TimeAxis | None]:
    times = [*succeeded, *other]
    if not times:
        return (), None
    # No answer takes less than a microsecond, and a logarithm needs one.
    fastest, slowest = max(min(times), 1), max(times)
    logarithmic = slowest > fastest * WIDEST_LINEAR_SPREAD
    if logarithmic:
        bounds = _logarithmic_bounds(fastest, slowest)
    else:
        bounds = _linear_bounds(min(times), slowest, len(times))
    axis = TimeAxis(bounds[0], bounds[-1], logarithmic)
    good, bad = (
        Counter(bisect_right(bounds, max(time, axis.lower)) for time in group)
        for group in (succeeded, other)
    )
    return tuple(
        Bin(lower, upper, good[index], bad[index])
        for index, (lower, upper) in enumerate(pairwise(bounds), start=1)
    ), axis


def _linear_bounds(fastest: int, slowest: int, count: int) -> list[int]:
    # Few samples in many bins are a comb, many in few bins are a block.
    wanted = min(MOST_BINS, max(6, round(2 * math.sqrt(count))))
    spread = slowest - fastest
    span = max(spread, math.ceil(slowest * NARROWEST_SPAN))
    step = round_step(span / wanted)
    lower = max(fastest - (span - spread) // 2, 0) // step * step
    return list(range(lower, max(lower + span, slowest) + step + 1, step))


def _logarithmic_bounds(fastest: int, slowest: int) -> list[int]:
    bounds: list[int] = []
    for series in (*PREFERRED_NUMBERS, (1, 2, 5), (1,)):
        values = round_values(series, beyond=slowest)
        lowest = max(value for value in values if value <= fastest)
        bounds = [value for value in values if value >= lowest]
        if len(bounds) <= MOST_BINS + 1:
            break
    return bounds


def _columns(bins: Sequence[Bin], axis: TimeAxis, tallest: int) -> tuple[Column, ...]:
    succeeded, other = [], []
    for each in bins:
        x = axis.position(each.lower)
        width = round(axis.position(each.upper) - x, 2)
        y = float(HEIGHT)
        if each.succeeded:
            height = _column_height(each.succeeded, tallest)
            y = round(y - height, 2)
            succeeded.append(Column("succeeded", x, width, y, height))
        if each.other:
            height = _column_height(each.other, tallest)
            y = round(y - height, 2)
            other.append(Column("other", x, width, y, height))
    # Outlines come last, else the next column would cover their right edge.
    return (*succeeded, *other)


def _column_height(count: int, tallest: int) -> float:
    return round(max(count / tallest * FULL_COLUMN, LEAST_PIXELS), 2)


def _count_ticks(tallest: int) -> tuple[Tick, ...]:
    if not tallest:
        return ()
    return tuple(
        Tick(round(HEIGHT - count / tallest * FULL_COLUMN, 2), f"{count:,}")
        for count in range(0, tallest + 1, round_step(tallest / 4))
    )


def _markers(good: Latency, axis: TimeAxis) -> tuple[Tick, ...]:
    return tuple(
        Tick(axis.position(value), f"{name} {duration(value)}")
        for name, value in (("p50", good.p50), ("p95", good.p95), ("p99", good.p99))
    )


def _summary(good: Latency | None, other: int, bins: Sequence[Bin]) -> str:
    if good is None and not other:
        return "No request was answered, so there is no response time to draw."
    sentences = []
    if good and good.count == 1:
        sentences.append(f"1 request answered 2xx or 3xx, in {duration(good.p50)}.")
    elif good:
        fullest = max(bins, key=lambda each: each.succeeded)
        sentences.append(
            f"{good.count:,} requests answered 2xx or 3xx: half within "
            f"{duration(good.p50)}, 95 % within {duration(good.p95)}, 99 % within "
            f"{duration(good.p99)}, the slowest in {duration(good.maximum)}. "
            f"The fullest column, {fullest.label}, holds {fullest.succeeded:,}."
        )
    if other:
        sentences.append(
            f"{request_count(other)} answered 4xx or 5xx, drawn in outline."
        )
    return " ".join(sentences)
