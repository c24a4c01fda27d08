"""How much of a core a client uses while it loads a target, and how much the target."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.clients.run import RunFailed
from benchmarks.servers.server import CHECKOUT, Serving, cpu_seconds

SECONDS_TO_BEGIN = 30
POLL_SECONDS = 0.02
# The target has used this CPU time once the load has begun.
LOADED_CPU_SECONDS = 0.05
# Of the seconds of load, those before and after the window in which CPU time is compared.
MARGIN = 0.2


@dataclass(frozen=True, slots=True)
class Observed:
    """The output of a client, and the CPU of both sides in the middle of its load."""

    report: str
    client: float  # of a core, all its processes
    target: float


def observe(command: Sequence[str], target: Serving, seconds: float) -> Observed:
    """Runs a client that loads a target for `seconds`; raises RunFailed."""
    idle = target.cpu_seconds()
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_load(process, target, idle)
        time.sleep(seconds * MARGIN)
        began, client, served = readings(process, target)
        time.sleep(seconds * (1 - 2 * MARGIN))
        ended, client_then, served_then = readings(process, target)
        report, errors = process.communicate(timeout=seconds + SECONDS_TO_BEGIN)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    # Some end with a status of their own although they have measured.
    if process.returncode and not report:
        raise RunFailed(f"{command[0]}: {errors.strip()}")
    return Observed(
        report,
        (client_then - client) / (ended - began),
        (served_then - served) / (ended - began),
    )


def wait_for_load(
    process: "subprocess.Popen[str]", target: Serving, idle: float
) -> None:
    deadline = time.monotonic() + SECONDS_TO_BEGIN
    while target.cpu_seconds() < idle + LOADED_CPU_SECONDS:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RunFailed(
                f"{process.args!r} did not load the target: {ended(process)}"
            )
        time.sleep(POLL_SECONDS)


def ended(process: "subprocess.Popen[str]") -> str:
    process.kill()
    report, errors = process.communicate()
    return (errors.strip() or report.strip())[-2000:]


def readings(
    process: "subprocess.Popen[str]", target: Serving
) -> tuple[float, float, float]:
    return time.monotonic(), cpu_seconds(process.pid), target.cpu_seconds()
