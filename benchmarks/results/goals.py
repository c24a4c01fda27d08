"""The goals of the benchmarks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.clients.run import Run, Spread, ratio, spread
from benchmarks.measuring.memory import REQUESTS, Footprints
from benchmarks.measuring.race import PROBE, WRK, Runs
from benchmarks.measuring.turns import Result, Turn
from benchmarks.servers.peers import (
    BRANDS,
    BRANDS_ALONE,
    DJANGO,
    FASTAPI_ASYNCPG,
    HELLO,
    INSERT,
    ORM,
    PAGE_1,
    PAGE_10_000,
    PRODUCT,
    PRODUCT_ALONE,
    SITE,
    STARLETTE,
    STARLETTE_ASYNCPG,
    UNCHANGED,
    Peer,
    Route,
)

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Goal:
    """An upper or lower bound for a median."""

    what: str
    measured: Spread
    bound: float
    at_most: bool

    @property
    def met(self) -> bool:
        if self.at_most:
            return self.measured.median <= self.bound
        return self.measured.median >= self.bound


def fast_enough(runs: Runs) -> Goal:
    relative = probe_relative_to_wrk(runs, lambda run: run.requests_per_second)
    return Goal("Requests per second, relative to wrk", relative, 0.4, at_most=False)


def true_enough(runs: Runs) -> Goal:
    relative = probe_relative_to_wrk(runs, lambda run: run.p50)
    return Goal("p50, relative to wrk", relative, 1.05, at_most=True)


def small_enough(footprints: Footprints) -> Goal:
    peaks = spread(
        footprint.peak / MEGABYTE
        for probes in footprints.values()
        for footprint in probes
    )
    return Goal(f"MB added by {REQUESTS:,} requests", peaks, 10, at_most=True)


def given_back(footprints: Footprints) -> Goal:
    """Compares with the first probe, whose memory the allocator reuses for the next ones."""
    growth = spread(
        (probes[-1].kept - probes[0].kept) / MEGABYTE for probes in footprints.values()
    )
    return Goal("MB kept after all later probes", growth, 2, at_most=True)


def probe_relative_to_wrk(runs: Runs, number: Callable[[Run], float]) -> Spread:
    return ratio(*([number(run) for run in runs[client]] for client in (PROBE, WRK)))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a turn that is compared."""

    name: str
    of: Callable[[Turn], float]
    less_is_better: bool


CPU = Quantity("CPU", lambda turn: turn.cpu, less_is_better=True)
P50 = Quantity("p50", lambda turn: turn.run.p50, less_is_better=True)
RATE = Quantity(
    "Requests per second",
    lambda turn: turn.run.requests_per_second,
    less_is_better=False,
)

# The site's quantity at a route, relative to a peer at the same route or to the site at
# another route.
BOUNDS: tuple[tuple[Quantity, Route, Peer | Route, float], ...] = (
    (CPU, HELLO, DJANGO, 1 / 10),
    (CPU, HELLO, STARLETTE, 6),
    (CPU, ORM, DJANGO, 1 / 2),
    (CPU, BRANDS, STARLETTE_ASYNCPG, 0.8),
    (CPU, UNCHANGED, BRANDS, 1),
    (CPU, PRODUCT, STARLETTE_ASYNCPG, 1),
    (RATE, INSERT, FASTAPI_ASYNCPG, 0.5),
    (P50, BRANDS_ALONE, STARLETTE_ASYNCPG, 1.5),
    (P50, PRODUCT_ALONE, STARLETTE_ASYNCPG, 1.5),
    # A single client waits for the whole cost of a page, including PostgreSQL.
    (P50, PAGE_10_000, PAGE_1, 1.5),
)


def serving_goals(results: Sequence[Result]) -> tuple[Goal, ...]:
    """The goals whose rows have been measured."""
    return tuple(
        Goal(
            f"{quantity.name} of {route.name}, relative to {name_of(other)}",
            measured,
            bound,
            at_most=quantity.less_is_better,
        )
        for quantity, route, other, bound in BOUNDS
        if (measured := ratio_to(results, quantity, route, SITE, other))
    )


def name_of(other: Peer | Route) -> str:
    return other.title if isinstance(other, Peer) else other.name


def ratio_to(
    results: Sequence[Result],
    quantity: Quantity,
    route: Route,
    peer: Peer,
    other: Peer | Route,
) -> Spread | None:
    """The ratio of a peer to another at the same route, or to itself at another route.

    None unless both were measured.
    """
    turns = {(result.row.route, result.row.peer): result.turns for result in results}
    ours = turns.get((route, peer))
    theirs = turns.get((route, other) if isinstance(other, Peer) else (other, peer))
    if ours is None or theirs is None:
        return None
    return ratio(
        [quantity.of(turn) for turn in ours], [quantity.of(turn) for turn in theirs]
    )
