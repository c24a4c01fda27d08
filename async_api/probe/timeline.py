"""The timeline of a probe: a bar for each request, in the order they started."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from async_api.drawing.axis import Tick, TimeAxis, round_step
from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import MAX_TABLE_ROWS, Table, request_count
from async_api.drawing.timeline import Series, Timeline, bar
from async_api.probe.measurement import Sample
from async_api.probe.outcome import Outcome, in_order, listed, outcome_of

MAX_HEIGHT = 480  # pixels
MAX_ROW_HEIGHT = 18  # pixels
MIN_LABELLED_ROW_HEIGHT = 12  # pixels
MIN_ROW_HEIGHT_WITH_GAPS = 3  # pixels; gaps make thinner rows look faint
# Narrower bars would vanish. Requests other than 2xx get more: they are hardest to see
# where they are quick and alone among thousands.
MIN_BAR_WIDTH = 0.3  # percent
MIN_RARE_BAR_WIDTH = 1.0  # percent
MIN_RARE_THICKNESS = 3.0  # pixels


def timeline(samples: Sequence[Sample], wall_time: int) -> Timeline:
    """The timeline over `wall_time` microseconds, or longer where a request took longer."""
    ordered = sorted(samples, key=lambda sample: (sample.start, sample.end))
    axis = TimeAxis(0, max([wall_time, 1, *(sample.end for sample in ordered)]))
    row = min(MAX_ROW_HEIGHT, MAX_HEIGHT / max(len(ordered), 1))
    return Timeline(
        summary=_summary(ordered, axis.upper),
        table=_table(ordered),
        axis=axis,
        series=tuple(_series(ordered, axis, row)),
        row_ticks=tuple(_row_ticks(ordered, row)),
        height=math.ceil(row * len(ordered)),
    )


def _series(ordered: Sequence[Sample], axis: TimeAxis, row: float) -> Iterator[Series]:
    rows: dict[Outcome, list[tuple[float, Sample]]] = {kind: [] for kind in Outcome}
    for index, sample in enumerate(ordered):
        rows[outcome_of(sample)].append((round((index + 0.5) * row, 2), sample))
    thickness = round(row * 0.75 if row >= MIN_ROW_HEIGHT_WITH_GAPS else row, 2)
    for kind, placed in rows.items():
        rare = kind is not Outcome.SUCCESS
        min_width = MIN_RARE_BAR_WIDTH if rare else MIN_BAR_WIDTH
        if placed:
            yield Series(
                kind,
                kind.label,
                max(thickness, MIN_RARE_THICKNESS) if rare else thickness,
                tuple(
                    bar(axis, sample.start, sample.end, y, min_width)
                    for y, sample in placed
                ),
            )


def _row_ticks(ordered: Sequence[Sample], row: float) -> Iterator[Tick]:
    if row >= MIN_LABELLED_ROW_HEIGHT:
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
        # A request takes a moment even where the clock did not move.
        for change in ((sample.start, 1), (max(sample.end, sample.start + 1), -1))
    ]
    # At the same moment -1 sorts first: a request that starts when another ends does not
    # overlap it.
    return max(accumulate(change for _, change in sorted(changes)), default=0)


def _table(ordered: Sequence[Sample]) -> Table:
    if len(ordered) <= MAX_TABLE_ROWS:
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
    size = math.ceil(len(ordered) / MAX_TABLE_ROWS)
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
