"""Reports of a benchmark, as text and as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from async_api.drawing.duration import duration
from benchmarks.clients.run import Spread, spread
from benchmarks.measuring.memory import Footprints
from benchmarks.measuring.race import Runs
from benchmarks.results.goals import MEGABYTE, Goal


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one experiment; the first row of the table has the column headings."""

    title: str
    table: tuple[tuple[str, ...], ...]
    goals: tuple[Goal, ...]
    measured: Runs | Footprints


def as_text(finding: Finding) -> str:
    goals = map(goal_line, finding.goals)
    return "\n".join((finding.title, *aligned(finding.table), *goals))


def as_json(finding: Finding) -> dict[str, Any]:
    return {
        "title": finding.title,
        "goals": [asdict(goal) | {"met": goal.met} for goal in finding.goals],
        "measured": {
            name: [asdict(each) for each in measured]
            for name, measured in finding.measured.items()
        },
    }


def runs_table(runs: Runs) -> tuple[tuple[str, ...], ...]:
    return (
        ("", "requests per second", "p50", "p99"),
        *(
            (
                client,
                in_words(spread(run.requests_per_second for run in turns), count),
                in_words(spread(run.p50 for run in turns), duration),
                in_words(spread(run.p99 for run in turns), duration),
            )
            for client, turns in runs.items()
        ),
    )


def footprints_table(footprints: Footprints) -> tuple[tuple[str, ...], ...]:
    return (
        ("", "peak increase", "kept after the response"),
        *(
            (
                f"{format_name}, probe {number}",
                megabytes(footprint.peak),
                megabytes(footprint.kept),
            )
            for format_name, probes in footprints.items()
            for number, footprint in enumerate(probes, start=1)
        ),
    )


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in table]


def goal_line(goal: Goal) -> str:
    return (
        f"{goal.what}: {in_words(goal.measured, '{:.2f}'.format)}, goal "
        f"{'at most' if goal.at_most else 'at least'} {goal.bound:g}: "
        f"{'met' if goal.met else 'missed'}"
    )


def in_words(measured: Spread, as_text: Callable[[float], str]) -> str:
    """The median, and the extremes if they differ."""
    median, least, most = map(as_text, (measured.median, measured.least, measured.most))
    return median if least == most else f"{median} ({least} to {most})"


def count(number: float) -> str:
    return f"{number:,.0f}"


def megabytes(number: float) -> str:
    return f"{number / MEGABYTE:.1f} MB"
