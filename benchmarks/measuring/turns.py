"""Measures the peers, each of which takes one turn per round."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from benchmarks.clients.run import Run, RunFailed
from benchmarks.clients.wrk import load
from benchmarks.servers.database import Database, example_database
from benchmarks.servers.peers import Peer, Route, Row
from benchmarks.servers.processes import on_core
from benchmarks.servers.server import CHECKOUT, Serving, started
from benchmarks.servers.worker import Worker

SCRIPTS = CHECKOUT / "benchmarks" / "scripts"
WARM_UP_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """The result of wrk for one peer, and the CPU time it cost."""

    run: Run
    cpu: float  # microseconds per request, of all processes of the server
    postgres_cpu: float  # microseconds per request, of all processes of PostgreSQL
    errors: int  # responses other than 2xx and 3xx, and broken connections


@dataclass(frozen=True, slots=True)
class Result:
    """The turns of a row in order, and the memory of its worker before the first."""

    row: Row
    idle_bytes: int
    turns: tuple[Turn, ...]

    @property
    def cpu(self) -> tuple[float, ...]:
        return tuple(turn.cpu for turn in self.turns)


def results(
    rows: Sequence[Row], rounds: int, seconds: int, core: int
) -> tuple[Result, ...]:
    """Measures rows in turns, so that changes on the machine affect all of them.

    Raises EmbeddedPostgresError, RunFailed, ServerFailed.
    """
    with serving({row.peer for row in rows}, core) as (database, servers):
        idle = {
            peer: Worker(server.worker, server.url).resident_bytes()
            for peer, server in servers.items()
        }
        for row in rows:
            take_turn(row, servers[row.peer], database, WARM_UP_SECONDS)
        turns: dict[Row, list[Turn]] = {row: [] for row in rows}
        for number in range(1, rounds + 1):
            print(f"Round {number} of {rounds}", file=sys.stderr, flush=True)
            for row in rows:
                turn = take_turn(row, servers[row.peer], database, seconds)
                turns[row].append(turn)
    return tuple(Result(row, idle[row.peer], tuple(turns[row])) for row in rows)


@contextmanager
def serving(
    peers: Iterable[Peer], core: int
) -> Iterator[tuple[Database, Mapping[Peer, Serving]]]:
    with ExitStack() as stack:
        database = stack.enter_context(example_database())
        with on_core(core):
            servers = {
                peer: stack.enter_context(
                    started(peer.server, DATABASE_URL=database.url)
                )
                for peer in peers
            }
        yield database, servers


def take_turn(row: Row, server: Serving, database: Database, seconds: int) -> Turn:
    """Starts with an idle server, and restores the database at the end.

    Raises RunFailed if the server answered nothing, ServerFailed if it does not settle.
    """
    url = server.url + row.path
    options = tuple(wrk_options(row.route, url))
    server.settle()
    before, postgres_before = server.cpu_seconds(), database.cpu_seconds()
    loaded = load(url, row.route.connections, seconds, *options)
    # Read immediately: work for the requests that wrk abandons should not count.
    after, postgres_after = server.cpu_seconds(), database.cpu_seconds()
    if not loaded.answers:
        raise RunFailed(f"{row.peer.title} answered nothing at {row.path}.")
    if row.route.writes:
        server.settle()
        database.restore()
    return Turn(
        loaded.run,
        (after - before) * 1_000_000 / loaded.answers,
        (postgres_after - postgres_before) * 1_000_000 / loaded.answers,
        loaded.errors,
    )


def wrk_options(route: Route, url: str) -> Iterator[str]:
    """The options of wrk for a route, apart from connections and duration."""
    if route.script:
        yield f"--script={SCRIPTS / route.script}"
    if route.conditional:
        with urlopen(url) as response:
            yield f"--header=If-None-Match: {response.headers['ETag']}"
