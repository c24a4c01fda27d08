"""Runs the load generator in a process of its own, and reads its result.

Beside its peers it runs as `manage.py load`, as its users run it. Where an experiment
needs every request and the verdict of one run, which the command prints apart, this module
runs itself as the parent of the generator: as a program it takes a plan in JSON, and a
file for the result.
"""

import asyncio
import copyreg
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from async_api.load.generator.child import generate
from async_api.load.generator.execution import Limits as GeneratorLimits
from async_api.load.plan.document import read_plan_text, write_plan
from async_api.load.plan.limits import PlanLimits
from async_api.load.plan.plan import Conditions, Load, Plan, Request
from async_api.load.recording import COLUMNS, Recording
from async_api.load.result.measurement import Measurement, measure
from async_api.load.result.verdict import judge
from async_api.load.run import Run
from async_api.outbound.targets import parse_target
from benchmarks.clients.run import RunFailed
from benchmarks.servers.server import CHECKOUT, processes
from benchmarks.servers.worker import Worker

NAME = "manage.py load"
LIMITS = PlanLimits(
    rate=1_000_000,
    seconds=120,
    connections=10_000,
    requests=10_000_000,
    body_bytes=1_000_000,
)
PRIVATE = ("127.0.0.1",)
WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Loaded:
    """A run, its verdict, and the percentiles that the generator reports of it."""

    run: Run
    verdict: str
    reasons: tuple[str, ...]
    percentiles: tuple[tuple[str, float, int], ...]  # "plan" or "send", percent, µs

    def from_plan(self) -> Iterator[int]:
        """Microseconds from the planned time to the last byte of each response."""
        return self._latencies("planned")

    def from_send(self) -> Iterator[int]:
        return self._latencies("sent")

    def _latencies(self, begin: str) -> Iterator[int]:
        recording = self.run.recording
        columns = getattr(recording, begin), recording.ended, recording.outcome
        for began, ended, outcome in zip(*columns, strict=True):
            if outcome > 0:
                yield ended - began


def plan_of(url: str, load: Load, **conditions: Any) -> Plan:
    request = Request(target=parse_target(url), name="all")
    return Plan(requests=(request,), load=load, conditions=Conditions(**conditions))


def load(plan: Plan, environment: Mapping[str, str] | None = None) -> Loaded:
    """Carries a plan out; raises RunFailed."""
    with TemporaryDirectory() as directory:
        result = Path(directory) / "result"
        finish(popen(plan, result, environment))
        return loaded(result)


def load_watched(plan: Plan) -> tuple[Loaded, int]:
    """A run, and by how many bytes the peak memory of the generator's process grew in it."""
    peaks = []
    with TemporaryDirectory() as directory:
        result = Path(directory) / "result"
        process = popen(plan, result)
        while process.poll() is None:
            generator = processes(process.pid)[-1].pid
            if generator != process.pid:
                try:
                    peaks.append(Worker(generator, "").peak_bytes())
                except (OSError, ValueError):
                    break  # it has ended
            time.sleep(WATCH_SECONDS)
        finish(process)
        return loaded(result), peaks[-1] - peaks[0]


@contextmanager
def started(
    url: str, connections: int, seconds: int
) -> Iterator["subprocess.Popen[str]"]:
    """The command at work, killed at the end of the block."""
    process = subprocess.Popen(
        command(sys.executable, url, connections, seconds),
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def install() -> Path:
    return Path(sys.executable)


def command(program: str, url: str, connections: int, seconds: int) -> tuple[str, ...]:
    """The command as its users run it."""
    environment = ("env", "DEBUG=1", f"PROBE_PRIVATE_TARGETS={','.join(PRIVATE)}")
    load = ("-c", str(connections), "-s", str(seconds), "--json")
    return (*environment, program, "manage.py", "load", url, *load)


def rate(report: str) -> float:
    """Requests per second; raises RunFailed unless every request was answered with 200."""
    try:
        document = json.loads(report)
        answered, statuses = document["rates"]["answered"], document["statuses"]
        failed = document["counts"]["failed"]
    except (ValueError, KeyError):
        raise RunFailed(f"the report of {NAME} cannot be read: {report!r}") from None
    if failed or set(statuses) != {"200"}:
        raise RunFailed(f"{NAME}: {failed} requests failed, {statuses}")
    return float(answered)


def popen(
    plan: Plan, result: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", __name__, json.dumps(write_plan(plan)), str(result)],
        cwd=CHECKOUT,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> None:
    output, errors = process.communicate()
    if process.returncode:
        raise RunFailed(f"{NAME}: {errors.strip() or output.strip()}")


def loaded(result: Path) -> Loaded:
    done = pickle.loads(result.read_bytes())
    assert isinstance(done, Loaded)
    return done


def reduced(recording: Recording) -> tuple[type[Recording], tuple[Any, ...]]:
    """What pickle keeps of a recording: its columns, without what appends to them."""
    return Recording, tuple(getattr(recording, name) for name in COLUMNS)


copyreg.pickle(Recording, reduced)


def main() -> None:
    """Carries out the plan of the first argument; the second is the file of the result."""
    plan = read_plan_text(sys.argv[1], LIMITS, files=True)
    limits = GeneratorLimits(body_bytes=LIMITS.body_bytes, requests=LIMITS.requests)
    run = asyncio.run(
        generate(
            plan,
            limits,
            private=PRIVATE,
            refusal="{subject} is not allowed.",
            on_snapshot=lambda snapshot: None,
        )
    )
    measured = measure(run)
    verdict = judge(run, measured)
    done = Loaded(
        run,
        verdict.word.value,
        tuple(reason.code for reason in verdict.reasons),
        tuple(reported(measured)),
    )
    Path(sys.argv[2]).write_bytes(pickle.dumps(done))


def reported(measured: Measurement) -> Iterator[tuple[str, float, int]]:
    for name, statistics in (
        ("plan", measured.successes.from_plan),
        ("send", measured.successes.from_send),
    ):
        for each in statistics.percentiles if statistics else ():
            yield name, each.percent, each.value


if __name__ == "__main__":
    # Under its name, because that is where the result's classes are looked up.
    from benchmarks.clients.load import main as run

    run()
