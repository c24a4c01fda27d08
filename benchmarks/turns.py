"""How do the peers compare, each taking a turn a round?"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.database import migrated_database
from benchmarks.peers import Peer, Row
from benchmarks.processes import on_core
from benchmarks.run import Run, RunFailed
from benchmarks.server import Serving, started
from benchmarks.worker import Worker
from benchmarks.wrk import load

CONNECTIONS = 64
WARM_UP_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """What one peer did for `wrk`, and at what cost."""

    run: Run
    cpu: float  # microseconds a request, of all the server's processes
    errors: int  # answers other than 2xx and 3xx, and connections that broke


@dataclass(frozen=True, slots=True)
class Result:
    """A row's turns, in order, and what its worker held before the first."""

    row: Row
    idle_bytes: int
    turns: tuple[Turn, ...]

    @property
    def cpu(self) -> tuple[float, ...]:
        return tuple(turn.cpu for turn in self.turns)


def results(
    rows: Sequence[Row], rounds: int, seconds: int, core: int
) -> tuple[Result, ...]:
    """Whatever changes meanwhile on the machine changes for all.

    Raises EmbeddedPostgresError, RunFailed, ServerFailed.
    """
    with serving({row.peer for row in rows}, core) as servers:
        idle = {
            peer: Worker(server.worker, server.url).resident_bytes()
            for peer, server in servers.items()
        }
        for row in rows:
            take_turn(row, servers[row.peer], WARM_UP_SECONDS)
        turns: dict[Row, list[Turn]] = {row: [] for row in rows}
        for number in range(1, rounds + 1):
            print(f"Round {number} of {rounds}", file=sys.stderr, flush=True)
            for row in rows:
                turns[row].append(take_turn(row, servers[row.peer], seconds))
    return tuple(Result(row, idle[row.peer], tuple(turns[row])) for row in rows)


@contextmanager
def serving(peers: Iterable[Peer], core: int) -> Iterator[Mapping[Peer, Serving]]:
    with ExitStack() as stack:
        url = stack.enter_context(migrated_database())
        with on_core(core):
            servers = {
                peer: stack.enter_context(started(peer.server, DATABASE_URL=url))
                for peer in peers
            }
        yield servers


def take_turn(row: Row, server: Serving, seconds: int) -> Turn:
    """Begins and ends with a server at rest.

    Raises RunFailed when nothing was answered, ServerFailed when it does not settle.
    """
    server.settle()
    before = server.cpu_seconds()
    loaded = load(server.url + row.path, CONNECTIONS, seconds)
    # Read at once: what is done for the requests that wrk leaves behind is not asked for.
    spent = server.cpu_seconds() - before
    if not loaded.answers:
        raise RunFailed(f"{row.peer.title} answered nothing at {row.path}.")
    return Turn(loaded.run, spent * 1_000_000 / loaded.answers, loaded.errors)
