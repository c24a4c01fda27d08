"""A process that has ended is not mistaken for a running one with its PID."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from async_api.online.processes import Process, started, this_process


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until the test ends it."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as child:
        yield child
        child.kill()


def process_of(child: subprocess.Popen[bytes]) -> Process:
    began = started(child.pid)
    assert began is not None
    return Process(this_process().machine, child.pid, began)


def test_the_current_process_is_alive() -> None:
    assert this_process().is_alive()
    assert this_process().pid == os.getpid()


def test_the_start_time_is_in_ticks_after_the_boot() -> None:
    began = this_process().started / os.sysconf("SC_CLK_TCK")

    since_boot = psutil.Process().create_time() - psutil.boot_time()

    assert began == pytest.approx(since_boot, abs=2)


def test_other_processes_identify_a_process_in_the_same_way(
    child: subprocess.Popen[bytes],
) -> None:
    said = subprocess.check_output(
        [
            sys.executable,
            "-c",
            "from async_api.online.processes import this_process;"
            "print(this_process().machine)",
        ],
        text=True,
    )

    assert said.strip() == this_process().machine
    assert process_of(child).is_alive()


def test_a_killed_process_is_dead_before_its_parent_has_noticed(
    child: subprocess.Popen[bytes],
) -> None:
    process = process_of(child)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert not process.is_alive()


def test_a_process_that_no_longer_exists_is_dead(
    child: subprocess.Popen[bytes],
) -> None:
    process = process_of(child)

    child.kill()
    child.wait()

    assert not process.is_alive()


def test_a_reused_pid_does_not_make_a_process_alive(
    child: subprocess.Popen[bytes],
) -> None:
    process = process_of(child)

    earlier = replace(process, started=process.started - 1)

    assert not earlier.is_alive()


def test_the_name_of_a_program_may_contain_any_character() -> None:
    script = (
        "import ctypes, pathlib, sys;"
        "ctypes.CDLL(None).prctl(15, b') Z 1 2 (', 0, 0, 0);"
        "from async_api.online.processes import this_process;"
        "print(this_process().is_alive(), this_process().started)"
    )

    alive, began = subprocess.check_output(
        [sys.executable, "-c", script], text=True
    ).split()

    assert alive == "True"
    assert int(began) >= this_process().started
