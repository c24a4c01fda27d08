"""The distribution of a probe's response times, as a histogram for a template to draw."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from async_api.drawing.axis import Tick, TimeAxis, round_step, round_values
from async_api.drawing.duration import duration, duration_range
from async_api.drawing.text_equivalent import Table, request_count
from async_api.probe.measurement import Latency, Sample, latency
from async_api.probe.outcome import (
    STATUSES,
    Outcome,
    in_order,
    outcome_of,
    statuses_of,
)

HEIGHT = 200  # pixels
MIN_COLUMN_HEIGHT = 2.0  # pixels; less would vanish
# Leaves space for the minimum heights of a stack of all outcomes.
FULL_COLUMN = HEIGHT - len(STATUSES) * MIN_COLUMN_HEIGHT

# If the slowest took longer than this many times the fastest, a linear axis would
# squeeze most responses together.
MAX_LINEAR_SPREAD = 20
MAX_BINS = 24
# Ten and five per decade, rounded as in ISO 3: bins of equal width on a logarithmic axis,
# so that no column is taller only because it is wider.
PREFERRED_NUMBERS = (
    (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8),
    (1, 1.6, 2.5, 4, 6.3),
)
# Share of the slowest time; a narrower axis would magnify noise.
MIN_SPAN = 0.1


@dataclass(frozen=True, slots=True)
class Bin:
    """The requests that took at least `lower` and less than `upper` microseconds."""

    lower: int
    upper: int
    counts: dict[Outcome, int]  # without zeros

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    @property
    def label(self) -> str:
        return duration_range(self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class Column:
    """The rectangle for the requests of one outcome in a bin."""

    kind: Outcome
    x: float  # percent
    width: float  # percent
    y: float  # pixels
    height: float  # pixels


@dataclass(frozen=True, slots=True)
class Distribution:
    """The histogram of all response times, stacked by outcome."""

    summary: str
    table: Table
    axis: TimeAxis | None  # None without responses
    outcomes: tuple[Outcome, ...]  # only those that occurred
    bins: tuple[Bin, ...]
    columns: tuple[Column, ...]
    markers: tuple[Tick, ...]  # percentiles of the successful responses
    marked: str  # their classes, such as "2xx and 3xx"
    count_ticks: tuple[Tick, ...]
    height: int = HEIGHT


def distribution(samples: Sequence[Sample]) -> Distribution:
    """The distribution of response times; failures have none."""
    times: dict[Outcome, list[int]] = {kind: [] for kind in Outcome}
    for sample in samples:
        times[outcome_of(sample)].append(sample.time)
    failed = len(times.pop(Outcome.FAILED))
    times = {kind: group for kind, group in times.items() if group}
    bins, axis = _bins(times)
    tallest = max((each.count for each in bins), default=0)
    good = latency(sample.time for sample in samples if sample.succeeded)
    return Distribution(
        summary=_summary(times, failed, bins),
        table=Table(
            ("Response time", *(kind.label for kind in times)),
            tuple(
                (each.label, *(f"{each.counts.get(kind, 0):,}" for kind in times))
                for each in bins
            ),
        ),
        axis=axis,
        outcomes=tuple(times),
        bins=bins,
        columns=tuple(_columns(bins, axis, tallest)) if axis else (),
        markers=_markers(good, axis) if axis and good else (),
        marked=statuses_of(kind for kind in times if not kind.is_trouble),
        count_ticks=_count_ticks(tallest),
    )


def _bins(
    times: dict[Outcome, list[int]],
) -> tuple[tuple[Bin, ...], TimeAxis | None]:
    every = [time for group in times.values() for time in group]
    if not every:
        return (), None
    # The logarithm needs at least one microsecond.
    fastest, slowest = max(min(every), 1), max(every)
    logarithmic = slowest > fastest * MAX_LINEAR_SPREAD
    if logarithmic:
        bounds = _logarithmic_bounds(fastest, slowest)
    else:
        bounds = _linear_bounds(min(every), slowest, len(every))
    axis = TimeAxis(bounds[0], bounds[-1], logarithmic)
    counts: list[Counter[Outcome]] = [Counter() for _ in bounds]
    for kind, group in times.items():
        for time in group:
            counts[bisect_right(bounds, max(time, axis.lower))][kind] += 1
    return tuple(
        Bin(lower, upper, in_order(counts[index]))
        for index, (lower, upper) in enumerate(pairwise(bounds), start=1)
    ), axis


def _linear_bounds(fastest: int, slowest: int, count: int) -> list[int]:
    # Too many bins look like a comb, too few like a block.
    wanted = min(MAX_BINS, max(6, round(2 * math.sqrt(count))))
    spread = slowest - fastest
    span = max(spread, math.ceil(slowest * MIN_SPAN))
    step = round_step(span / wanted)
    lower = max(fastest - (span - spread) // 2, 0) // step * step
    return list(range(lower, max(lower + span, slowest) + step + 1, step))


def _logarithmic_bounds(fastest: int, slowest: int) -> list[int]:
    bounds: list[int] = []
    for series in (*PREFERRED_NUMBERS, (1, 2, 5), (1,)):
        values = round_values(series, beyond=slowest)
        lowest = max(value for value in values if value <= fastest)
        bounds = [value for value in values if value >= lowest]
        if len(bounds) <= MAX_BINS + 1:
            break
    return bounds


def _columns(bins: Sequence[Bin], axis: TimeAxis, tallest: int) -> Iterator[Column]:
    for each in bins:
        x = axis.position(each.lower)
        width = round(axis.position(each.upper) - x, 2)
        y = float(HEIGHT)
        for kind, count in each.counts.items():
            height = _column_height(count, tallest)
            y = round(y - height, 2)
            yield Column(kind, x, width, y, height)


def _column_height(count: int, tallest: int) -> float:
    return round(max(count / tallest * FULL_COLUMN, MIN_COLUMN_HEIGHT), 2)


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


def _summary(times: dict[Outcome, list[int]], failed: int, bins: Sequence[Bin]) -> str:
    sentences = [
        _times_in_words(kind, spread)
        for kind, group in times.items()
        if (spread := latency(group))
    ]
    if not sentences:
        return "No request was answered, so there are no response times to draw."
    fullest = max(bins, key=lambda each: each.count)
    if fullest.count > 1:
        sentences.append(
            f"Most common: {fullest.label} ({request_count(fullest.count)})."
        )
    if failed:
        sentences.append(f"{request_count(failed)} failed and so had no response time.")
    return " ".join(sentences)


def _times_in_words(kind: Outcome, spread: Latency) -> str:
    if spread.count == 1:
        return f"1 request was {kind.label}, in {duration(spread.p50)}."
    return (
        f"{spread.count:,} requests were {kind.label}: half within "
        f"{duration(spread.p50)}, 95 % within {duration(spread.p95)}, 99 % within "
        f"{duration(spread.p99)}, the slowest in {duration(spread.maximum)}."
    )
