"""The phases of a cold request, beside the delays that were injected and beside libcurl's.

A library that is preloaded into each client makes lookups slow; the target delays the
rest, except for TCP, whose handshake is the kernel's. A handshake of TLS takes its time
without any delay, so what is compared is by how much the delays prolong each phase.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

from async_api.drawing.duration import duration
from async_api.load.plan.plan import Closed
from benchmarks.clients.load import load, plan_of
from benchmarks.clients.peers.installation import (
    PROGRAMS,
    NotInstalled,
    python_of_peers,
)
from benchmarks.clients.run import RunFailed, spread
from benchmarks.experiments.finding import Conditions, Finding
from benchmarks.results.goals import Goal
from benchmarks.results.report import in_words
from benchmarks.servers.announced import announced
from benchmarks.servers.delayed import Delays, make_certificate, serve
from benchmarks.servers.server import CHECKOUT, Serving

# libcurl knows localhost without a lookup.
SLOW_NAME = "slow.test"
LOOKUP_MS = 50
DELAYS = Delays(handshake=0.04, first_byte=0.06, body=0.07)
NO_DELAYS = Delays(handshake=0, first_byte=0, body=0)
TOLERANCE_MS = 2
SCRIPTS = CHECKOUT / "benchmarks" / "scripts"


@dataclass(frozen=True, slots=True)
class Phases:
    """Microseconds."""

    lookup: int
    tcp: int
    tls: int
    first_byte: int  # from the ready connection
    body: int


NAMES = tuple(field.name for field in fields(Phases))
INJECTED = Phases(
    lookup=LOOKUP_MS * 1_000,
    tcp=0,
    tls=round(DELAYS.handshake * 1_000_000),
    first_byte=round(DELAYS.first_byte * 1_000_000),
    body=round(DELAYS.body * 1_000_000),
)


def measure(conditions: Conditions) -> Finding:
    notes = []
    ours: list[Phases] = []
    undelayed: list[Phases] = []
    totals: list[float] = []
    curls: list[Phases] = []
    with TemporaryDirectory() as directory, ExitStack() as stack:
        folder = Path(directory)
        environment = slow_lookups(folder)
        try:
            python = python_of_peers()
        except NotInstalled as error:
            python = None
            notes.append(f"pycurl is left out, because {error}.")
        files = certificate, _ = make_certificate(folder, SLOW_NAME)
        slow, fast = (
            stack.enter_context(announced(serve, delays, *files, conditions.core))
            for delays in (DELAYS, NO_DELAYS)
        )
        for _ in range(conditions.rounds):
            phases, _ = run_ours(fast, certificate, environment | {"LOOKUP_MS": "0"})
            undelayed.append(phases)
            phases, difference = run_ours(slow, certificate, environment)
            ours.append(phases)
            totals.append(difference)
            if python:
                curls.append(run_curl(python, slow, certificate, environment))
    added = [more(delayed, base) for delayed, base in zip(ours, undelayed, strict=True)]
    return Finding(
        "The phases of a cold request",
        (
            ("", *(name.replace("_", " ") for name in NAMES)),
            ("injected", *(duration(getattr(INJECTED, name)) for name in NAMES)),
            row("ours, without delays", undelayed),
            row("ours, with them", ours),
            *([row("pycurl, with them", curls)] if curls else []),
        ),
        (
            *deviations("what was injected", added, [INJECTED] * len(added)),
            *(deviations("pycurl's", ours, curls) if curls else ()),
            Goal(
                "Sum of the phases, from the recorded time of the request, ms",
                spread(totals),
                TOLERANCE_MS,
                at_most=True,
            ),
        ),
        tuple(notes),
    )


def more(delayed: Phases, base: Phases) -> Phases:
    """What delays have added to each phase."""
    return Phases(*(getattr(delayed, name) - getattr(base, name) for name in NAMES))


def slow_lookups(folder: Path) -> dict[str, str]:
    """The environment in which lookups of a name are slow; raises RunFailed."""
    if shutil.which("cc") is None:
        raise RunFailed(
            "a C compiler (cc) is missing, with which lookups are made slow"
        )
    library = folder / "slow_lookups.so"
    source = SCRIPTS / "slow_lookups.c"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True
    )
    return {
        "LD_PRELOAD": str(library),
        "SLOW_NAME": SLOW_NAME,
        "LOOKUP_MS": str(LOOKUP_MS),
    }


def url_of(target: Serving) -> str:
    return target.url.replace("http://127.0.0.1", f"https://{SLOW_NAME}")


def run_ours(
    target: Serving, certificate: Path, environment: Mapping[str, str]
) -> tuple[Phases, float]:
    """The phases, and by how many ms their sum differs from the time of the request."""
    plan = plan_of(
        url_of(target),
        Closed(connections=1, requests=2),
        connect_first=False,
        ip="4",
        ca_file=str(certificate),
    )
    run = load(plan, environment).run
    cold, recording = run.cold, run.recording
    if cold is None or recording.outcome[0] != 200:
        raise RunFailed(f"The delayed target was not measured: {run.failures}")
    took = recording.ended[0] - recording.planned[0]
    phases = Phases(
        cold.lookup, cold.tcp, cold.tls, cold.send + cold.wait, cold.receive
    )
    return phases, abs(cold.total - took) / 1_000


def run_curl(
    python: Path, target: Serving, certificate: Path, environment: Mapping[str, str]
) -> Phases:
    command = [str(python), str(PROGRAMS / "curl_phases.py")]
    finished = subprocess.run(
        [*command, url_of(target), str(certificate)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    if finished.returncode:
        raise RunFailed(f"pycurl: {finished.stderr.strip()}")
    return phases_of(json.loads(finished.stdout))


def phases_of(ends: Mapping[str, int]) -> Phases:
    """From the times at which libcurl ended each phase, all from the same beginning."""
    return Phases(
        ends["lookup"],
        ends["tcp"] - ends["lookup"],
        ends["tls"] - ends["tcp"],
        ends["first_byte"] - ends["tls"],
        ends["last_byte"] - ends["first_byte"],
    )


def row(name: str, measured: Sequence[Phases]) -> tuple[str, ...]:
    return (
        name,
        *(
            in_words(spread(getattr(each, phase) for each in measured), duration)
            for phase in NAMES
        ),
    )


def deviations(
    whose: str, ours: Sequence[Phases], theirs: Sequence[Phases]
) -> tuple[Goal, ...]:
    return tuple(
        Goal(
            f"{phase.replace('_', ' ').capitalize()}, from {whose}, ms",
            spread(
                abs(getattr(our, phase) - getattr(their, phase)) / 1_000
                for our, their in zip(ours, theirs, strict=True)
            ),
            TOLERANCE_MS,
            at_most=True,
        )
        for phase in NAMES
    )
