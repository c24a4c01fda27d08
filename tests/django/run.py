"""One run of Django's suites, with stock classes or ours, called in one of two ways."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.django.outcomes import Outcomes, read
from tests.support.site import ROOT

SUITES = (
    "asgi",
    "handlers",
    "async",
    "signals",
    "middleware",
    "middleware_exceptions",
    "csrf_tests",
    "sessions_tests",
    "messages_tests",
    "auth_tests",
)
CLASSES = STOCK, OURS = "stock", "ours"
CALLS = SYNCHRONOUS, ASYNCHRONOUS = "synchronous", "asynchronous"

SECONDS = 720  # A run takes one minute, or five while all other tests run.


class RunFailed(Exception):
    """A run did not finish, so its outcomes are incomplete."""


@dataclass(frozen=True, slots=True)
class Run:
    """The classes that are tested, and how tests call them."""

    classes: str  # STOCK or OURS
    calls: str  # SYNCHRONOUS, as the tests are written, or ASYNCHRONOUS


def run_suites(run: Run, tests: Path, database_url: str) -> Outcomes:
    """Runs in a separate process with a log beside `tests`; raises RunFailed."""
    name = f"{run.classes}-{run.calls}"
    outcomes = tests.with_name(f"{name}.jsonl")
    log = tests.with_name(f"{name}.log")
    outcomes.unlink(missing_ok=True)
    environment = os.environ | {
        "CLASSES": run.classes,
        "CALLS": run.calls,
        "DATABASE_URL": database_url,
        "OUTCOMES": str(outcomes),
        "PYTHONPATH": str(ROOT),
    }
    with log.open("w") as output:
        try:
            status = subprocess.run(
                [sys.executable, "runtests.py", "--settings=tests.django.settings"]
                + ["--noinput", "--parallel=1", "--verbosity=2", *SUITES],
                cwd=tests,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise RunFailed(_failure(f"{name} hangs", log)) from error
    if status:
        raise RunFailed(_failure(f"{name} ended early, with status {status}", log))
    with outcomes.open(encoding="utf-8") as lines:
        return read(lines)


def _failure(what: str, log: Path) -> str:
    end = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
    return f"The run {what}. The end of {log}:\n{end}"
