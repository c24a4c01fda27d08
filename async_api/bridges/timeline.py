"""The timeline of a trial: a lane for each thread, coroutine or board."""

from collections.abc import Iterable, Iterator, Sequence

from async_api.bridges.laboratory import Result
from async_api.bridges.recording import ACTIVITY_LABELS, Activity, Span
from async_api.drawing.axis import Tick, TimeAxis
from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import MAX_TABLE_ROWS, Table
from async_api.drawing.timeline import Bar, Series, Timeline, bar

ROW_HEIGHT = 20  # pixels
THICKNESS = {Activity.MOVING: 14.0, Activity.THINKING: 6.0, Activity.WAITING: 3.0}
DEFAULT_THICKNESS = 14.0  # pixels
MIN_BAR_WIDTH = 0.1  # percent
GAP = 0.3  # percent, between a bar and the one that follows at once
EVENT_LOOP_LANE = "event loop"


def common_axis(results: Sequence[Result]) -> TimeAxis:
    """An axis that fits all the results and their predictions, to compare them."""
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
        # Its empty lane shows that it was never late.
        lanes.insert(0, EVENT_LOOP_LANE)
    rows = {lane: (number + 0.5) * ROW_HEIGHT for number, lane in enumerate(lanes)}
    predicted = result.prediction.microseconds
    return Timeline(
        summary=_summary(result, lanes),
        table=_table(spans),
        axis=axis,
        series=tuple(_series(spans, rows, axis)),
        row_ticks=tuple(Tick(y, lane) for lane, y in rows.items()),
        markers=(Tick(axis.position(predicted), f"predicted {duration(predicted)}"),),
        height=ROW_HEIGHT * len(lanes),
    )


def stalls(result: Result) -> tuple[Span, ...]:
    """The times at which the event loop was blocked, as spans in a lane of its own."""
    if result.lag is None:
        return ()
    return tuple(
        Span(EVENT_LOOP_LANE, Activity.STANDING_STILL, stall.start, stall.end, "")
        for stall in result.lag.stalls
    )


def _series(
    spans: Sequence[Span], rows: dict[str, float], axis: TimeAxis
) -> Iterator[Series]:
    # In the order of the labels, which draws the master's moves over the thinking.
    for activity in ACTIVITY_LABELS:
        drawn = tuple(
            _bar(span, rows[span.lane], axis)
            for span in spans
            if span.activity is activity
        )
        if drawn:
            yield Series(
                activity,
                ACTIVITY_LABELS[activity],
                THICKNESS.get(activity, DEFAULT_THICKNESS),
                drawn,
            )


def _bar(span: Span, y: float, axis: TimeAxis) -> Bar:
    # A call that the semaphore let in at once shows no wait.
    min_width = 0 if span.activity is Activity.WAITING else MIN_BAR_WIDTH
    whole = bar(axis, span.start, span.end, y, min_width)
    if whole.width <= GAP * 4:
        return whole
    return Bar(whole.x, round(whole.width - GAP, 2), y)


def _summary(result: Result, lanes: Sequence[str]) -> str:
    busy = [lane for lane in lanes if lane != EVENT_LOOP_LANE]
    text = (
        f"{_count(len(result.spans), 'bar')} in {_count(len(busy), 'lane')} "
        f"within {duration(result.wall_time)}, predicted {duration(result.prediction.microseconds)}."
    )
    if result.lag is None:
        return text
    if result.lag.stalls:
        still = sum(stall.end - stall.start for stall in result.lag.stalls)
        return f"{text} The event loop was blocked for {duration(still)}."
    return f"{text} The event loop was never blocked, and at most {duration(result.lag.worst)} late."


def _count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _table(spans: Sequence[Span]) -> Table:
    if len(spans) <= MAX_TABLE_ROWS:
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
