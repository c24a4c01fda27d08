"""How fast is wrk, the client to compare with?"""

import re
import shutil
import subprocess
from dataclasses import dataclass

from benchmarks.clients.run import Run, RunFailed

UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}  # microseconds

_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)([a-z]+) *$", re.MULTILINE)
_ANSWERS = re.compile(r"^\s+(\d+) requests in ", re.MULTILINE)
_TROUBLE = re.compile(r"^\s*(Socket errors|Non-2xx or 3xx responses):.*$", re.MULTILINE)


class WrkMissing(Exception):
    """There is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw of a server, failures included."""

    run: Run
    answers: int  # whatever their status
    errors: int  # answers other than 2xx and 3xx, and connections that broke


def require_wrk() -> None:
    """Raises WrkMissing with a sentence that says how to get it."""
    if shutil.which("wrk") is None:
        raise WrkMissing("wrk is missing: install it, such as: apt-get install wrk")


def run_wrk(url: str, connections: int, seconds: int) -> Run:
    """One thread of wrk; raises RunFailed, also where not every request succeeded."""
    return parse(ask(url, connections, seconds))


def load(url: str, connections: int, seconds: int, *options: str) -> Load:
    """One thread of wrk; raises RunFailed where there is no report at all."""
    return parse_load(ask(url, connections, seconds, *options))


def ask(url: str, connections: int, seconds: int, *options: str) -> str:
    command = ["wrk", "--threads=1", f"--connections={connections}", "--latency"]
    finished = subprocess.run(
        [*command, f"--duration={seconds}s", *options, url],
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise RunFailed(f"wrk: {finished.stderr.strip()}")
    return finished.stdout


def parse(report: str) -> Run:
    """What `wrk --latency` prints; raises RunFailed where not every request succeeded."""
    if trouble := _TROUBLE.search(report):
        raise RunFailed(f"wrk: {trouble.group().strip()}")
    return parse_load(report).run


def parse_load(report: str) -> Load:
    """What `wrk --latency` prints; raises RunFailed where it cannot be read."""
    rate = _RATE.search(report)
    answers = _ANSWERS.search(report)
    latency = {
        percent: round(float(value) * UNITS[unit])
        for percent, value, unit in _PERCENTILE.findall(report)
    }
    if rate is None or answers is None or latency.keys() != {"50", "99"}:
        raise RunFailed(f"wrk printed what cannot be read: {report!r}")
    run = Run(float(rate[1]), latency["50"], latency["99"])
    return Load(run, int(answers[1]), errors(report))


def errors(report: str) -> int:
    """The numbers in the lines that wrk prints only when something went wrong."""
    return sum(
        int(number)
        for trouble in _TROUBLE.finditer(report)
        for number in re.findall(r" (\d+)\b", trouble.group())
    )
