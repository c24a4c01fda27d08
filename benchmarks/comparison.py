"""How do people read how the peers compare?"""

from collections.abc import Iterator, Sequence

from async_api.duration import duration
from benchmarks.goals import cpu_ratio, serving_goals
from benchmarks.peers import DJANGO, STARLETTE, Peer
from benchmarks.report import aligned, count, goal_line, in_words, megabytes
from benchmarks.run import spread
from benchmarks.turns import Result

Table = tuple[tuple[str, ...], ...]


def as_text(results: Sequence[Result]) -> str:
    tables = (
        "\n".join((f"{route}:", *aligned(table)))
        for route, table in tables_of(results).items()
    )
    return "\n\n".join((*tables, *filter(None, ["\n".join(goal_lines(results))])))


def as_markdown(results: Sequence[Result]) -> str:
    tables = (
        "\n".join((f"`{route}`:", "", *markdown_rows(table)))
        for route, table in tables_of(results).items()
    )
    goals = "\n".join(f"- {line}" for line in goal_lines(results))
    return "\n\n".join((*tables, *filter(None, [goals])))


def tables_of(results: Sequence[Result]) -> dict[str, Table]:
    """A table a route; the first row heads its columns."""
    routes = dict.fromkeys(result.row.route for result in results)
    return {
        route: (
            (
                "",
                "requests a second",
                "CPU µs a request",
                "by Django's",
                "by Starlette's",
                "p50",
                "p99",
                "errors",
                "idle",
            ),
            *(
                cells(result, results)
                for result in results
                if result.row.route == route
            ),
        )
        for route in routes
    }


def cells(result: Result, results: Sequence[Result]) -> tuple[str, ...]:
    runs = [turn.run for turn in result.turns]
    return (
        result.row.peer.title,
        in_words(spread(run.requests_per_second for run in runs), count),
        in_words(spread(result.cpu), count),
        ratio_cell(result, results, DJANGO),
        ratio_cell(result, results, STARLETTE),
        in_words(spread(run.p50 for run in runs), duration),
        in_words(spread(run.p99 for run in runs), duration),
        count(sum(turn.errors for turn in result.turns)),
        megabytes(result.idle_bytes),
    )


def ratio_cell(result: Result, results: Sequence[Result], other: Peer) -> str:
    measured = cpu_ratio(results, result.row.route, result.row.peer, other)
    return f"{measured.median:.2f}" if measured else ""


def goal_lines(results: Sequence[Result]) -> list[str]:
    return [goal_line(goal) for goal in serving_goals(results)]


def markdown_rows(table: Table) -> Iterator[str]:
    head, *rows = table
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
