"""The rate of each load generator, and how much of its core it uses.

One target is a bare ASGI function under uvicorn, which is as fast as a real server can be
and therefore limits the fastest clients. The other responds without parsing, so that
each client is its own limit.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.clients import load
from benchmarks.clients.peers.installation import NotInstalled
from benchmarks.clients.peers.peer import PEERS, WRK, Peer
from benchmarks.clients.run import RunFailed, ratio, spread
from benchmarks.experiments.finding import Conditions, Finding
from benchmarks.measuring.shares import observe
from benchmarks.results.comparison import Table
from benchmarks.results.goals import Goal
from benchmarks.results.report import count, in_words
from benchmarks.servers.announced import announced
from benchmarks.servers.server import Serving
from benchmarks.servers.target import Target, serve

CONNECTIONS = 64
MAX_SHARE = 0.6
ABOUT_AB = (
    "ab speaks HTTP/1.0, after which uvicorn closes each connection: it opens a new one "
    "for every request."
)
WITHOUT_AB = (
    "ab is left out, because it speaks HTTP/1.0: it waits for the end of a connection "
    "that this target, which does not read requests, keeps open."
)
OURS = Peer(load.NAME, "Python", load.install, load.command, load.rate)


@dataclass(frozen=True, slots=True)
class Turn:
    rate: float  # requests per second, as the client reports it
    client: float  # of a core
    target: float


Turns = Mapping[Peer, Sequence[Turn]]  # one for each round


def under_uvicorn(conditions: Conditions) -> Finding:
    turns, notes = race(Target(under_uvicorn=True), PEERS, conditions)
    others = [peer for peer in turns if peer not in (OURS, WRK)]
    share = spread(turn.client for turn in turns[OURS])
    return Finding(
        f"A bare ASGI function under uvicorn, {CONNECTIONS} connections",
        table_of(turns),
        (
            *relative_to_wrk(turns, 0.9),
            Goal("Our share of a core", share, MAX_SHARE, at_most=True),
            *ahead_of(turns, others),
        ),
        (ABOUT_AB, *notes),
    )


def without_server(conditions: Conditions) -> Finding:
    able = [peer for peer in PEERS if peer.name != "ab"]
    turns, notes = race(Target(under_uvicorn=False), able, conditions)
    others = [peer for peer in turns if peer.language in ("Python", "Node")]
    others.remove(OURS)
    return Finding(
        f"A protocol that responds without parsing, {CONNECTIONS} connections",
        table_of(turns),
        (*relative_to_wrk(turns, 0.65), *ahead_of(turns, others)),
        (WITHOUT_AB, *notes),
    )


def race(
    target: Target, peers: Sequence[Peer], conditions: Conditions
) -> tuple[Turns, tuple[str, ...]]:
    """The turns of each client, and a sentence about each that is left out.

    The clients take turns, so that changes on the machine affect all of them.
    """
    turns: dict[Peer, list[Turn]] = {}
    notes: list[str] = []
    with announced(serve, target, conditions.core) as serving:
        programs = dict(installed((OURS, *peers), notes))
        if WRK not in programs:
            raise NotInstalled(" ".join(notes))
        take_turn(WRK, programs[WRK], serving, 1)
        for number in range(1, conditions.rounds + 1):
            progress(f"Round {number} of {conditions.rounds}")
            for peer, program in programs.items():
                try:
                    turn = take_turn(peer, program, serving, conditions.seconds)
                except RunFailed as error:
                    if peer in (OURS, WRK):
                        raise
                    notes.append(
                        f"{peer.name} is left out, because it failed: {error}."
                    )
                else:
                    turns.setdefault(peer, []).append(turn)
    complete = {
        peer: taken for peer, taken in turns.items() if len(taken) == conditions.rounds
    }
    return complete, tuple(dict.fromkeys(notes))


def installed(peers: Sequence[Peer], notes: list[str]) -> list[tuple[Peer, str]]:
    found = []
    for peer in peers:
        try:
            found.append((peer, str(peer.install())))
        except NotInstalled as error:
            notes.append(f"{peer.name} is left out, because {error}.")
    return found


def take_turn(peer: Peer, program: str, target: Serving, seconds: int) -> Turn:
    command = peer.command(program, target.url, CONNECTIONS, seconds)
    observed = observe(command, target, seconds)
    return Turn(peer.parse(observed.report), observed.client, observed.target)


def relative_to_wrk(turns: Turns, least: float) -> tuple[Goal, ...]:
    measured = ratio(rates(turns[OURS]), rates(turns[WRK]))
    return (
        Goal("Requests per second, relative to wrk", measured, least, at_most=False),
    )


def ahead_of(turns: Turns, others: Sequence[Peer]) -> tuple[Goal, ...]:
    return tuple(
        Goal(
            f"Requests per second, relative to {peer.name}",
            ratio(rates(turns[OURS]), rates(turns[peer])),
            1,
            at_most=False,
        )
        for peer in others
    )


def rates(turns: Sequence[Turn]) -> list[float]:
    return [turn.rate for turn in turns]


def table_of(turns: Turns) -> Table:
    return (
        (
            *("", "written in", "requests per second", "relative to wrk"),
            *("client, of a core", "client, µs per request", "target, of a core"),
        ),
        *(
            (
                peer.name,
                peer.language,
                in_words(spread(rates(taken)), count),
                in_words(ratio(rates(taken), rates(turns[WRK])), "{:.2f}".format),
                in_words(spread(turn.client for turn in taken), "{:.2f}".format),
                in_words(
                    spread(turn.client * 1_000_000 / turn.rate for turn in taken),
                    "{:.1f}".format,
                ),
                in_words(spread(turn.target for turn in taken), "{:.2f}".format),
            )
            for peer, taken in turns.items()
        ),
    )


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
