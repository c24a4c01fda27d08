"""The processes of a test end with the test run, in whatever way it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.site import ROOT

SECONDS_TO_WAIT = 60
LEFT = """
import subprocess, sys, time
import pytest

@pytest.mark.served
def test_a_process_is_left():
    left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    print("started", left.pid, file=sys.__stdout__, flush=True)
    {then}
"""


def pytest_running(directory: Path, then: str) -> subprocess.Popen[str]:
    """Runs pytest on one test that starts a process and then executes `then`."""
    test = directory / "test_left.py"
    test.write_text(LEFT.format(then=then))
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-s", "-c", "pyproject.toml"]
        + ["-p", "tests.conftest", "-p", "no:cacheprovider", str(test)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        stdout=subprocess.PIPE,
        text=True,
    )


def started_by(run: subprocess.Popen[str]) -> psutil.Process:
    assert run.stdout
    for line in run.stdout:
        before, found, pid = line.partition("started ")
        if found:
            return psutil.Process(int(pid))
    raise AssertionError("The test started no process.")


def ends(process: psutil.Process) -> bool:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            process.kill()
            return False
        time.sleep(0.05)
    return True


def test_a_process_ends_when_pytest_is_killed(tmp_path: Path) -> None:
    with pytest_running(tmp_path, "time.sleep(1000)") as run:
        process = started_by(run)

        run.kill()

        assert ends(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_ends_when_the_run_is_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    with pytest_running(tmp_path, "time.sleep(1000)") as run:
        process = started_by(run)

        run.send_signal(number)

        assert ends(process)


def test_a_test_that_hangs_fails_after_its_time_limit(tmp_path: Path) -> None:
    then = "from tests.conftest import bounded\n    with bounded(0.2): left.wait()"
    with pytest_running(tmp_path, then) as run:
        process = started_by(run)
        printed, _ = run.communicate(timeout=SECONDS_TO_WAIT)

    assert ends(process)
    assert "This took more than 0.2 seconds." in printed


@pytest.mark.parametrize("then", ["assert False", "pass"])
def test_a_run_fails_if_a_test_leaves_a_process_behind(
    tmp_path: Path, then: str
) -> None:
    with pytest_running(tmp_path, then) as run:
        process = started_by(run)
        printed, _ = run.communicate(timeout=SECONDS_TO_WAIT)

    assert ends(process)
    assert "A test left a process behind: sleep 1000" in printed
    assert run.returncode == 1
