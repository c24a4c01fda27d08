"""How are spans of time drawn as bars on an axis, in one stroke a kind?"""

from collections.abc import Iterable
from dataclasses import dataclass

from async_api.drawing.axis import TimeAxis


@dataclass(frozen=True, slots=True)
class Bar:
    """One span from its start to its end."""

    x: float  # percent
    width: float  # percent
    y: float  # pixels, at the middle of its row


def bar(axis: TimeAxis, start: int, end: int, y: float, least: float) -> Bar:
    """Of microseconds; `least` percents wide, so that it does not vanish."""
    x = min(axis.position(start), 100 - least)
    return Bar(x, round(max(axis.position(end) - x, least), 2), y)


def path(bars: Iterable[Bar]) -> str:
    """SVG path data for a view box 100 wide: a thousand bars cost 20 KB, not 100."""
    return "".join(f"M{bar.x:g} {bar.y:g}h{bar.width:g}" for bar in bars)
