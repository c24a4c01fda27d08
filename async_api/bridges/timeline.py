"""Which thread, coroutine or board was busy when, as lanes for a template to draw?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from async_api.bridges.laboratory import Result
from async_api.bridges.recording import ACTIVITY_LABELS, Activity, Span
from async_api.drawing import bars
from async_api.drawing.axis import Tick, TimeAxis
from async_api.drawing.bars import Bar, bar
from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import Table

ROW = 20  # pixels
THICKNESS = {Activity.MOVING: 14.0, Activity.THINKING: 6.0, Activity.WAITING: 3.0}
USUAL_THICKNESS = 14.0  # pixels
LEAST_PERCENT = 0.1
GAP_PERCENT = 0.3  # between a bar and the one that follows at once
MOST_TABLE_ROWS = 20
EVENT_LOOP_LANE = "event loop"


@dataclass(frozen=True, slots=True)
class Strand:
    """All bars of one activity."""

    activity: Activity
    bars: tuple[Bar, ...]

    @property
    def kind(self) -> str:
        """As the style sheet names it."""
        return self.activity

    @property
    def label(self) -> str:
        return ACTIVITY_LABELS[self.activity]

    @property
    def thickness(self) -> float:
        return THICKNESS.get(self.activity, USUAL_THICKNESS)

    @property
    def path(self) -> str:
        return bars.path(self.bars)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A lane for each thread or coroutine, in the order they began."""

    summary: str
    table: Table
    axis: TimeAxis
    strands: tuple[Strand, ...]  # only activities that occurred
    row_ticks: tuple[Tick, ...]
    markers: tuple[Tick, ...]
    height: int


def common_axis(results: Sequence[Result]) -> TimeAxis:
    """One on which all of them can be compared with each other and their predictions."""
    return TimeAxis(
        0,
        max(
            [
                1,
                *(result.wall_time for result in results),
                *(result.prediction.microseconds for result in results),
            ]
        ),
    )


def timeline(result: Result, axis: TimeAxis) -> Timeline:
    spans = [*stalls(result), *result.spans]
    lanes = list(dict.fromkeys(span.lane for span in spans))
    if result.lag is not None and EVENT_LOOP_LANE not in lanes:
        # Empty, which says that it answered all the time.
        lanes.insert(0, EVENT_LOOP_LANE)
    rows = {lane: (number + 0.5) * ROW for number, lane in enumerate(lanes)}
    predicted = result.prediction.microseconds
    return Timeline(
        summary=_summary(result, lanes),
        table=_table(spans),
        axis=axis,
        strands=tuple(_strands(spans, rows, axis)),
        row_ticks=tuple(Tick(y, lane) for lane, y in rows.items()),
        markers=(Tick(axis.position(predicted), f"predicted {duration(predicted)}"),),
        height=ROW * len(lanes),
    )


def stalls(result: Result) -> tuple[Span, ...]:
    """When the event loop stood still, as spans in a lane of its own."""
    if result.lag is None:
        return ()
    return tuple(
        Span(EVENT_LOOP_LANE, Activity.STANDING_STILL, stall.start, stall.end, "")
        for stall in result.lag.stalls
    )


def _strands(
    spans: Sequence[Span], rows: dict[str, float], axis: TimeAxis
) -> Iterator[Strand]:
    # In the order of the labels: the master moves in front of those who think.
    for activity in ACTIVITY_LABELS:
        drawn = tuple(
            _bar(span, rows[span.lane], axis)
            for span in spans
            if span.activity is activity
        )
        if drawn:
            yield Strand(activity, drawn)


def _bar(span: Span, y: float, axis: TimeAxis) -> Bar:
    # Who was let in at once has waited for nothing that could be seen.
    least = 0 if span.activity is Activity.WAITING else LEAST_PERCENT
    whole = bar(axis, span.start, span.end, y, least)
    if whole.width <= GAP_PERCENT * 4:
        return whole
    return Bar(whole.x, round(whole.width - GAP_PERCENT, 2), y)


def _summary(result: Result, lanes: Sequence[str]) -> str:
    busy = [lane for lane in lanes if lane != EVENT_LOOP_LANE]
    text = (
        f"{len(result.spans):,} bars in {len(busy)} {'lane' if len(busy) == 1 else 'lanes'} "
        f"within {duration(result.wall_time)}, predicted {duration(result.prediction.microseconds)}."
    )
    if result.lag is None:
        return text
    if result.lag.stalls:
        still = sum(stall.end - stall.start for stall in result.lag.stalls)
        return f"{text} The event loop answered nobody for {duration(still)}."
    return f"{text} The event loop answered all the time, {duration(result.lag.worst)} late at worst."


def _table(spans: Sequence[Span]) -> Table:
    if len(spans) <= MOST_TABLE_ROWS:
        return Table(
            ("Lane", "What", "Start", "Time", "Thread"),
            tuple(
                (
                    span.lane,
                    ACTIVITY_LABELS[span.activity],
                    duration(span.start),
                    duration(span.time),
                    span.thread or "–",
                )
                for span in spans
            ),
        )
    lanes = dict.fromkeys(span.lane for span in spans)
    return Table(
        ("Lane", "Bars", "First start", "Last end", "Busy"),
        tuple(
            _lane_row(lane, [span for span in spans if span.lane == lane])
            for lane in lanes
        ),
    )


def _lane_row(lane: str, spans: Iterable[Span]) -> tuple[str, ...]:
    spans = list(spans)
    return (
        lane,
        f"{len(spans):,}",
        duration(min(span.start for span in spans)),
        duration(max(span.end for span in spans)),
        duration(sum(span.time for span in spans)),
    )
