"""The probe, wrk and a textbook probe against the same target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.clients.engine import run_engine
from benchmarks.clients.run import Run
from benchmarks.clients.textbook import run_textbook
from benchmarks.clients.wrk import run_wrk
from benchmarks.servers.processes import in_fresh_process
from benchmarks.servers.target import Target, running

WRK, PROBE, TEXTBOOK = "wrk", "the probe", "textbook"


@dataclass(frozen=True, slots=True)
class Course:
    """A target and the load on it."""

    title: str
    target: Target
    connections: int
    requests: int  # of the probe and the textbook; wrk runs for a fixed time


AT_ONCE = Course(
    "A bare ASGI function under uvicorn that responds immediately, 64 connections",
    Target(under_uvicorn=True),
    64,
    15_000,
)
NO_SERVER = Course(
    "A protocol that responds without parsing, 64 connections",
    Target(under_uvicorn=False),
    64,
    15_000,
)
WAITING = Course(
    "A target that waits 50 ms, 200 connections, 2,000 requests",
    Target(under_uvicorn=False, delay_seconds=0.05),
    200,
    2_000,
)

Runs = Mapping[str, Sequence[Run]]  # by client, one run per round


def race(course: Course, rounds: int, seconds: int, target_core: int) -> Runs:
    """The clients take turns, so that changes on the machine affect all of them."""
    with running(course.target, target_core) as url:
        clients: dict[str, Callable[[], Run]] = {
            WRK: lambda: run_wrk(url, course.connections, seconds),
            PROBE: lambda: in_fresh_process(
                run_engine, url, course.connections, course.requests
            ),
            TEXTBOOK: lambda: in_fresh_process(run_textbook, url, course.requests),
        }
        turns = [
            {name: take_turn() for name, take_turn in clients.items()}
            for _ in range(rounds)
        ]
    return {name: tuple(turn[name] for turn in turns) for name in clients}
