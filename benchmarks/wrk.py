"""How fast is wrk, the client to compare with?"""

import re
import shutil
import subprocess

from benchmarks.run import Run, RunFailed

UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}  # microseconds

_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)([a-z]+)$", re.MULTILINE)
_TROUBLE = re.compile(r"^\s*(Socket errors|Non-2xx or 3xx responses):.*$", re.MULTILINE)


class WrkMissing(Exception):
    """There is nothing to compare with."""


def require_wrk() -> None:
    """Raises WrkMissing with a sentence that says how to get it."""
    if shutil.which("wrk") is None:
        raise WrkMissing("wrk is missing: install it, such as: apt-get install wrk")


def run_wrk(url: str, connections: int, seconds: int) -> Run:
    """One thread of wrk; raises RunFailed."""
    command = ["wrk", "--threads=1", f"--connections={connections}", "--latency"]
    finished = subprocess.run(
        [*command, f"--duration={seconds}s", url],
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise RunFailed(f"wrk: {finished.stderr.strip()}")
    return parse(finished.stdout)


def parse(report: str) -> Run:
    """What `wrk --latency` prints; raises RunFailed where not every request succeeded."""
    if trouble := _TROUBLE.search(report):
        raise RunFailed(f"wrk: {trouble.group().strip()}")
    rate = _RATE.search(report)
    latency = {
        percent: round(float(value) * UNITS[unit])
        for percent, value, unit in _PERCENTILE.findall(report)
    }
    if rate is None or latency.keys() != {"50", "99"}:
        raise RunFailed(f"wrk printed what cannot be read: {report!r}")
    return Run(float(rate[1]), latency["50"], latency["99"])
