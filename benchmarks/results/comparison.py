"""Tables that compare the peers, as text and as Markdown."""

from collections.abc import Iterator, Sequence

from async_api.drawing.duration import duration
from benchmarks.clients.run import spread
from benchmarks.measuring.turns import Result
from benchmarks.results.goals import CPU, ratio_to, serving_goals
from benchmarks.results.report import aligned, count, goal_line, in_words, megabytes
from benchmarks.servers.peers import (
    CONNECTIONS,
    DJANGO,
    STARLETTE,
    STARLETTE_ASYNCPG,
    Peer,
    Route,
)

Table = tuple[tuple[str, ...], ...]

# The others are compared with these peers, if they were measured.
REFERENCES = (
    (DJANGO, "relative to Django"),
    (STARLETTE, "relative to Starlette"),
    (STARLETTE_ASYNCPG, "relative to Starlette + asyncpg"),
)


def as_text(results: Sequence[Result]) -> str:
    tables = (
        "\n".join((f"{route.name}{manner(route)}:", *aligned(table)))
        for route, table in tables_of(results).items()
    )
    return "\n\n".join((*tables, *filter(None, ["\n".join(goal_lines(results))])))


def as_markdown(results: Sequence[Result]) -> str:
    tables = (
        "\n".join((f"`{route.name}`{manner(route)}:", "", *markdown_rows(table)))
        for route, table in tables_of(results).items()
    )
    goals = "\n".join(f"- {line}" for line in goal_lines(results))
    return "\n\n".join((*tables, *filter(None, [goals])))


def manner(route: Route) -> str:
    """The number of connections, if it is unusual."""
    if route.connections == CONNECTIONS:
        return ""
    return f", {route.connections} connection{'s' if route.connections > 1 else ''}"


def tables_of(results: Sequence[Result]) -> dict[Route, Table]:
    """A table for each route; the first row has the column headings."""
    routes = dict.fromkeys(result.row.route for result in results)
    return {
        route: table([result for result in results if result.row.route == route])
        for route in routes
    }


def table(results: Sequence[Result]) -> Table:
    """The table of one route."""
    peers = {result.row.peer for result in results}
    references = [(peer, head) for peer, head in REFERENCES if peer in peers]
    heads = (
        *("", "requests per second", "CPU µs per request"),
        *(head for _, head in references),
        *("PostgreSQL CPU µs", "p50", "p99", "errors", "idle memory"),
    )
    return (
        heads,
        *(
            cells(result, results, [peer for peer, _ in references])
            for result in results
        ),
    )


def cells(
    result: Result, results: Sequence[Result], references: Sequence[Peer]
) -> tuple[str, ...]:
    runs = [turn.run for turn in result.turns]
    row = result.row
    ratios = [ratio_to(results, CPU, row.route, row.peer, peer) for peer in references]
    return (
        row.peer.title,
        in_words(spread(run.requests_per_second for run in runs), count),
        in_words(spread(result.cpu), count),
        *(f"{measured.median:.2f}" if measured else "" for measured in ratios),
        in_words(spread(turn.postgres_cpu for turn in result.turns), count),
        in_words(spread(run.p50 for run in runs), duration),
        in_words(spread(run.p99 for run in runs), duration),
        count(sum(turn.errors for turn in result.turns)),
        megabytes(result.idle_bytes),
    )


def goal_lines(results: Sequence[Result]) -> list[str]:
    return [goal_line(goal) for goal in serving_goals(results)]


def markdown_rows(table: Table) -> Iterator[str]:
    head, *rows = table
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
