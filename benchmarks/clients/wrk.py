"""Runs wrk, the reference HTTP client, and parses its report."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from benchmarks.clients.run import Run, RunFailed

# A response that takes longer is an error. wrk's own limit of 2 s would report a machine
# that is busy with something else.
TIMEOUT_SECONDS = 20
UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}  # microseconds

_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)([a-z]+) *$", re.MULTILINE)
_ANSWERS = re.compile(r"^\s+(\d+) requests in ", re.MULTILINE)
_TROUBLE = re.compile(r"^\s*(Socket errors|Non-2xx or 3xx responses):.*$", re.MULTILINE)


class WrkMissing(Exception):
    """wrk is not installed."""


@dataclass(frozen=True, slots=True)
class Load:
    """The result of a wrk run, including failures."""

    run: Run
    answers: int  # with any status
    errors: int  # responses other than 2xx and 3xx, and broken connections


def require_wrk() -> None:
    """Raises WrkMissing, whose message says how to install it."""
    if shutil.which("wrk") is None:
        raise WrkMissing(
            "wrk is missing: install it, for example with: apt-get install wrk"
        )


def run_wrk(url: str, connections: int, seconds: int) -> Run:
    """Runs wrk with one thread; raises RunFailed unless every request succeeded."""
    return parse(output_of(url, connections, seconds))


def load(url: str, connections: int, seconds: int, *options: str) -> Load:
    """Runs wrk with one thread; raises RunFailed if it prints no report."""
    return parse_load(output_of(url, connections, seconds, *options))


def output_of(url: str, connections: int, seconds: int, *options: str) -> str:
    command = [
        "wrk",
        "--threads=1",
        f"--connections={connections}",
        f"--duration={seconds}s",
        f"--timeout={TIMEOUT_SECONDS}s",
        "--latency",
    ]
    finished = subprocess.run(
        [*command, *options, url],
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise RunFailed(f"wrk: {finished.stderr.strip()}")
    return finished.stdout


def parse(report: str) -> Run:
    """Parses the output of `wrk --latency`; raises RunFailed if a request failed."""
    if trouble := _TROUBLE.search(report):
        raise RunFailed(f"wrk: {trouble.group().strip()}")
    return parse_load(report).run


def parse_load(report: str) -> Load:
    """Parses the output of `wrk --latency`; raises RunFailed if that is not possible."""
    rate = _RATE.search(report)
    answers = _ANSWERS.search(report)
    latency = {
        percent: round(float(value) * UNITS[unit])
        for percent, value, unit in _PERCENTILE.findall(report)
    }
    if rate is None or answers is None or latency.keys() != {"50", "99"}:
        raise RunFailed(f"the report of wrk cannot be read: {report!r}")
    run = Run(float(rate[1]), latency["50"], latency["99"])
    return Load(run, int(answers[1]), errors(report))


def errors(report: str) -> int:
    """The sum of the numbers in the lines that wrk prints only after failures."""
    return sum(
        int(number)
        for trouble in _TROUBLE.finditer(report)
        for number in re.findall(r" (\d+)\b", trouble.group())
    )
