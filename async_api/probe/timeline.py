"""When did each request of a probe run, as bars for a template to draw?"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from async_api.drawing.axis import Tick, TimeAxis, round_step
from async_api.drawing.bars import Bar, bar, path
from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import Table, request_count
from async_api.probe.measurement import Sample
from async_api.probe.outcome import Outcome, in_order, listed, outcome_of

TALLEST = 480  # pixels
TALLEST_ROW = 18  # pixels
LABELLED_ROW = 12  # pixels a row's label needs
THINNEST_GAP_ROW = 3  # pixels; thinner rows with gaps between them would look faint
MOST_TABLE_ROWS = 20
# Less would vanish; and what is not 2xx hides best where it is quick and alone among
# thousands.
LEAST_PERCENT = 0.3
LEAST_RARE_PERCENT = 1.0
LEAST_RARE_THICKNESS = 3.0  # pixels


@dataclass(frozen=True, slots=True)
class Strand:
    """All requests of one outcome."""

    outcome: Outcome
    thickness: float  # pixels
    bars: tuple[Bar, ...]

    @property
    def label(self) -> str:
        return self.outcome.label

    @property
    def path(self) -> str:
        return path(self.bars)

    @property
    def kind(self) -> str:
        """As the style sheet names it."""
        return self.outcome


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every request as a bar on a common time axis, in the order they started."""

    summary: str
    table: Table
    axis: TimeAxis
    strands: tuple[Strand, ...]  # only outcomes that occurred
    row_ticks: tuple[Tick, ...]
    height: int


def timeline(samples: Sequence[Sample], wall_time: int) -> Timeline:
    """Draw when each request ran, over `wall_time` microseconds or longer if any did."""
    ordered = sorted(samples, key=lambda sample: (sample.start, sample.end))
    axis = TimeAxis(0, max([wall_time, 1, *(sample.end for sample in ordered)]))
    row = min(TALLEST_ROW, TALLEST / max(len(ordered), 1))
    return Timeline(
        summary=_summary(ordered, axis.upper),
        table=_table(ordered),
        axis=axis,
        strands=tuple(_strands(ordered, axis, row)),
        row_ticks=tuple(_row_ticks(ordered, row)),
        height=math.ceil(row * len(ordered)),
    )


def _strands(ordered: Sequence[Sample], axis: TimeAxis, row: float) -> Iterator[Strand]:
    rows: dict[Outcome, list[tuple[float, Sample]]] = {kind: [] for kind in Outcome}
    for index, sample in enumerate(ordered):
        rows[outcome_of(sample)].append((round((index + 0.5) * row, 2), sample))
    thickness = round(row * 0.75 if row >= THINNEST_GAP_ROW else row, 2)
    for kind, placed in rows.items():
        rare = kind is not Outcome.SUCCESS
        least = LEAST_RARE_PERCENT if rare else LEAST_PERCENT
        if placed:
            yield Strand(
                kind,
                max(thickness, LEAST_RARE_THICKNESS) if rare else thickness,
                tuple(
                    bar(axis, sample.start, sample.end, y, least)
                    for y, sample in placed
                ),
            )


def _row_ticks(ordered: Sequence[Sample], row: float) -> Iterator[Tick]:
    if row >= LABELLED_ROW:
        for number, sample in enumerate(ordered, start=1):
            yield Tick((number - 0.5) * row, f"{number} · {sample.status or 'failed'}")
    else:
        step = round_step(len(ordered) / 6)
        for number in range(step, len(ordered) + 1, step):
            yield Tick(round((number - 0.5) * row, 2), f"{number:,}")


def _summary(ordered: Sequence[Sample], span: int) -> str:
    if not ordered:
        return "No request was sent, so there is nothing to draw."
    outcomes = in_order(Counter(map(outcome_of, ordered)))
    number, slowest = max(
        enumerate(ordered, start=1), key=lambda numbered: numbered[1].time
    )
    return (
        f"{request_count(len(ordered))} within {duration(span)}, "
        f"at most {_most_at_once(ordered):,} at the same time: {listed(outcomes)}. "
        f"Number {number:,} took longest, {duration(slowest.time)}."
    )


def _most_at_once(samples: Iterable[Sample]) -> int:
    changes = [
        change
        for sample in samples
        # A request is under way for a moment even where the clock did not move.
        for change in ((sample.start, 1), (max(sample.end, sample.start + 1), -1))
    ]
    # At the same moment -1 sorts first: who starts when another ends is not beside it.
    return max(accumulate(change for _, change in sorted(changes)), default=0)


def _table(ordered: Sequence[Sample]) -> Table:
    if len(ordered) <= MOST_TABLE_ROWS:
        return Table(
            ("Request", "Start", "Time", "Outcome"),
            tuple(
                (
                    str(number),
                    duration(sample.start),
                    duration(sample.time),
                    f"failed: {sample.kind}" if sample.kind else str(sample.status),
                )
                for number, sample in enumerate(ordered, start=1)
            ),
        )
    size = math.ceil(len(ordered) / MOST_TABLE_ROWS)
    kinds = tuple(in_order(Counter(map(outcome_of, ordered))))
    return Table(
        ("Requests", "First start", "Last end", *(kind.label for kind in kinds)),
        tuple(
            _group_row(first, ordered[first : first + size], kinds)
            for first in range(0, len(ordered), size)
        ),
    )


def _group_row(
    first: int, group: Sequence[Sample], kinds: Sequence[Outcome]
) -> tuple[str, ...]:
    outcomes = Counter(map(outcome_of, group))
    return (
        f"{first + 1:,} to {first + len(group):,}",
        duration(group[0].start),
        duration(max(sample.end for sample in group)),
        *(f"{outcomes[kind]:,}" for kind in kinds),
    )
