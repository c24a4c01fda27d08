"""The times at which a plan's requests are due, and which request is due at each.

Times are whole nanoseconds after the run began. Each is computed from its number, never
read from a clock and never summed up from rounded gaps.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import cycle
from random import Random
from typing import NamedTuple

from async_api.load.plan.plan import Closed, Load, Rate, Steps

SECOND = 1_000_000_000


class Hold(NamedTuple):
    """A number of connections that is held from a time on."""

    start: int
    connections: int


def times(load: Rate | Steps) -> Iterator[int]:
    """When the requests of a load with rates are due, in ascending order.

    Request i of a rate is due i / rate after its beginning. Poisson spacing draws the
    gaps from an exponential distribution, by the plan's seed; as this has no memory, each
    step draws anew from its beginning.
    """
    rates = (load.rate,) if isinstance(load, Rate) else load.values
    draw = Random(load.seed)
    for number, rate in enumerate(rates):
        start = _nanoseconds(load.seconds, number)
        end = _nanoseconds(load.seconds, number + 1)
        if load.spacing == "even":
            yield from _even(Fraction(rate), start, end)
        else:
            yield from _poisson(rate, start, end, draw)


def holds(load: Closed | Steps) -> tuple[Hold, ...]:
    """The numbers of connections of a closed load, and when each begins."""
    if isinstance(load, Closed):
        return (Hold(0, load.connections),)
    return tuple(
        Hold(_nanoseconds(load.seconds, number), int(value))
        for number, value in enumerate(load.values)
    )


def end(load: Load) -> int | None:
    """When no further request is due; None for a number of requests."""
    if isinstance(load, Steps):
        return _nanoseconds(load.seconds, len(load.values))
    return None if load.seconds is None else _nanoseconds(load.seconds, 1)


def connections(load: Load) -> int:
    """How many connections the load uses at most."""
    if isinstance(load, Steps) and load.of == "connections":
        return int(max(load.values))
    return load.connections


def order(weights: Sequence[int]) -> Iterator[int]:
    """Which request is sent next, for ever: by smooth weighted round robin.

    Among any number of requests that is a multiple of the sum of the weights (divided by
    their greatest common divisor), each has exactly its share, and those of one kind are
    spread evenly. Weights of 3 and 1 give 0, 0, 1, 0.
    """
    return cycle(_round(weights))


def _round(weights: Sequence[int]) -> list[int]:
    divisor = math.gcd(*weights)
    shares = [weight // divisor for weight in weights]
    total = sum(shares)
    credit = [0] * len(shares)
    chosen = []
    for _ in range(total):
        for index, share in enumerate(shares):
            credit[index] += share
        best = max(range(len(shares)), key=credit.__getitem__)
        credit[best] -= total
        chosen.append(best)
    return chosen


def _nanoseconds(seconds: float, multiple: int) -> int:
    return round(Fraction(seconds) * multiple * SECOND)


def _even(rate: Fraction, start: int, end: int) -> Iterator[int]:
    gap = SECOND / rate
    top, bottom = gap.numerator, gap.denominator
    number = 0
    while (due := start + number * top // bottom) < end:
        yield due
        number += 1


def _poisson(rate: float, start: int, end: int, draw: Random) -> Iterator[int]:
    due = start
    while (due := due + round(draw.expovariate(rate) * SECOND)) < end:
        yield due
