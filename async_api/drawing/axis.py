"""Time axes: positions of times, and round times as labels.

Horizontal positions are percentages of the plot's width; vertical ones are pixels from its
top. So a picture stretches with the page while its text keeps its size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from async_api.drawing.duration import duration

TICK_DISTANCE = 20  # percent of the axis


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position: percent along a time axis, pixels down a vertical one."""

    position: float
    label: str


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Microseconds from `lower` to `upper`, laid out over 0 to 100 percent."""

    lower: int
    upper: int
    logarithmic: bool = False

    def position(self, microseconds: float) -> float:
        """Percent of the axis; times below a logarithmic axis are at its start."""
        if self.logarithmic:
            share = math.log(max(microseconds, self.lower) / self.lower) / math.log(
                self.upper / self.lower
            )
        else:
            share = (microseconds - self.lower) / (self.upper - self.lower)
        return round(share * 100, 2)

    def ticks(self) -> tuple[Tick, ...]:
        """Round times, far enough apart for their labels on a phone."""
        if self.logarithmic:
            values = self._logarithmic_values()
        else:
            step = round_step((self.upper - self.lower) * TICK_DISTANCE / 100)
            values = list(range(-(-self.lower // step) * step, self.upper + 1, step))
        return tuple(Tick(self.position(value), duration(value, 6)) for value in values)

    def _logarithmic_values(self) -> list[int]:
        for series in ((1, 2, 5), (1, 3), (1,)):
            rising = round_values(series, beyond=self.upper)
            values = [value for value in rising if self.lower <= value <= self.upper]
            gaps = (
                self.position(after) - self.position(before)
                for before, after in pairwise(values)
            )
            closest = min(gaps, default=100)
            if closest >= TICK_DISTANCE:
                break
        return values[:: math.ceil(TICK_DISTANCE / closest)]


def round_values(series: Sequence[float], beyond: float) -> list[int]:
    """Multiples of the series by 1, 10, 100 ... up to the first one beyond the limit."""
    values: list[int] = []
    power = 1
    while True:
        for factor in series:
            value = round(factor * power)
            if not values or value > values[-1]:
                values.append(value)
            if value > beyond:
                return values
        power *= 10


def round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is at least `least`."""
    return next(
        value for value in round_values((1, 2, 5), beyond=least) if value >= least
    )
