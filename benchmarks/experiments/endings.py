"""How fast the generator is gone when its run is cancelled, or its parent killed."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass

import psutil

from benchmarks.clients.load import started
from benchmarks.clients.run import RunFailed, spread
from benchmarks.experiments.finding import Conditions, Finding, every
from benchmarks.measuring.sockets import connections, wait_for_connections
from benchmarks.results.report import in_words
from benchmarks.servers.announced import announced
from benchmarks.servers.server import Serving, processes
from benchmarks.servers.target import Target, serve

CONNECTIONS = 100
LOAD_SECONDS = 60
DELAY_SECONDS = 0.05
MAX_SECONDS = 0.5
SECONDS_TO_GIVE_UP = 10
POLL_SECONDS = 0.002
ENDS = {"cancelled": signal.SIGINT, "parent killed": signal.SIGKILL}


@dataclass(frozen=True, slots=True)
class Ending:
    seconds: float  # until no process of the run was left
    sockets: int  # open at that time, as the target sees them


def measure(conditions: Conditions) -> Finding:
    endings: dict[str, list[Ending]] = {name: [] for name in ENDS}
    target = Target(under_uvicorn=False, delay_seconds=DELAY_SECONDS)
    with announced(serve, target, conditions.core) as serving:
        for _ in range(conditions.rounds):
            for name, number in ENDS.items():
                endings[name].append(end(serving, number))
    every_ending = [each for those in endings.values() for each in those]
    return Finding(
        f"A run of {CONNECTIONS} connections ends early",
        (
            ("", "gone after, s", "sockets left"),
            *(
                (
                    name,
                    in_words(spread(each.seconds for each in those), "{:.3f}".format),
                    str(max(each.sockets for each in those)),
                )
                for name, those in endings.items()
            ),
        ),
        (
            every(
                "Gone after, s", [each.seconds for each in every_ending], MAX_SECONDS
            ),
            every("Sockets left", [each.sockets for each in every_ending], 0),
        ),
    )


def end(target: Serving, number: signal.Signals) -> Ending:
    with started(target.url, CONNECTIONS, LOAD_SECONDS) as command:
        wait_for_connections(target.process, CONNECTIONS)
        time.sleep(0.3)
        running = processes(command.pid)
        if len(running) < 2:
            raise RunFailed("The generator has no process of its own.")
        began = time.monotonic()
        os.kill(command.pid, number)
        while any(is_running(each, command) for each in running):
            if time.monotonic() > began + SECONDS_TO_GIVE_UP:
                kill(running)
                break
            time.sleep(POLL_SECONDS)
        took = time.monotonic() - began
    return Ending(took, connections(target.process))


def kill(running: list[psutil.Process]) -> None:
    for each in running:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def is_running(process: psutil.Process, command: "subprocess.Popen[str]") -> bool:
    """False for a zombie too, which has no socket and only waits to be reaped."""
    if process.pid == command.pid:
        return command.poll() is None
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
