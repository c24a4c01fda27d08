"""What an experiment found: a table, its goals, and what a reader must know about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.clients.run import Spread, spread
from benchmarks.results.comparison import Table, markdown_rows
from benchmarks.results.goals import Goal
from benchmarks.results.report import aligned, goal_line


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a run of the benchmarks has: its rounds, its turns, and the target's core."""

    rounds: int
    seconds: int  # of a turn
    core: int


@dataclass(frozen=True, slots=True)
class Finding:
    """The first row of the table has the column headings."""

    title: str
    table: Table
    goals: tuple[Goal, ...]
    notes: tuple[str, ...] = ()


def as_text(finding: Finding) -> str:
    return "\n".join(
        (
            finding.title,
            *aligned(finding.table),
            *map(goal_line, finding.goals),
            *finding.notes,
        )
    )


def as_markdown(finding: Finding) -> str:
    lists = [f"- {line}" for line in (*map(goal_line, finding.goals), *finding.notes)]
    table = "\n".join(markdown_rows(finding.table))
    return "\n\n".join((f"### {finding.title}", table, "\n".join(lists)))


def within(what: str, ratios: Sequence[float], tolerance: float) -> tuple[Goal, Goal]:
    """Two goals, for a ratio whose median may differ from 1 in either direction."""
    measured = spread(ratios)
    return (
        Goal(what, measured, 1 - tolerance, at_most=False),
        Goal(what, measured, 1 + tolerance, at_most=True),
    )


def every(what: str, values: Sequence[float], bound: float) -> Goal:
    """A goal for the largest value, for what must never happen."""
    most = max(values)
    return Goal(what, Spread(most, min(values), most), bound, at_most=True)
