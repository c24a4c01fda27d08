"""Timelines: bars in rows on a common time axis, for `timeline.svg.html` to draw."""

from dataclasses import dataclass

from async_api.drawing.axis import Tick, TimeAxis
from async_api.drawing.text_equivalent import Table


@dataclass(frozen=True, slots=True)
class Bar:
    """One span from its start to its end."""

    x: float  # percent
    width: float  # percent
    y: float  # pixels, at the middle of its row


def bar(axis: TimeAxis, start: int, end: int, y: float, min_width: float) -> Bar:
    """The bar from `start` to `end`, in microseconds, and at least `min_width` percent."""
    x = min(axis.position(start), 100 - min_width)
    return Bar(x, round(max(axis.position(end) - x, min_width), 2), y)


@dataclass(frozen=True, slots=True)
class Series:
    """All bars of one kind."""

    kind: str  # the class in the style sheet
    label: str
    thickness: float  # pixels
    bars: tuple[Bar, ...]

    @property
    def path(self) -> str:
        """SVG path data for a view box 100 wide: 1,000 bars take 20 KB instead of 100."""
        return "".join(f"M{bar.x:g} {bar.y:g}h{bar.width:g}" for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Spans of time as bars, with their text equivalents."""

    summary: str
    table: Table
    axis: TimeAxis
    series: tuple[Series, ...]  # only kinds that occurred
    row_ticks: tuple[Tick, ...]
    height: int
    markers: tuple[Tick, ...] = ()
