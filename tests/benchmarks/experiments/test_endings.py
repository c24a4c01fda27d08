"""A process that only waits to be reaped is gone."""

import os
import subprocess

import psutil

from benchmarks.experiments.endings import is_running


def test_a_zombie_is_gone_and_a_stopped_process_is_not() -> None:
    command = subprocess.Popen(["sleep", "60"], text=True)
    child = subprocess.Popen(["sleep", "60"])
    try:
        process = psutil.Process(child.pid)

        assert is_running(process, command)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.status() == psutil.STATUS_ZOMBIE
        assert not is_running(process, command)
        child.wait()
        assert not is_running(process, command)
    finally:
        for each in (command, child):
            each.kill()
            each.wait()


def test_the_command_itself_is_reaped_as_it_ends() -> None:
    command = subprocess.Popen(["sleep", "60"], text=True)
    process = psutil.Process(command.pid)

    assert is_running(process, command)
    command.kill()
    os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)

    assert not is_running(process, command)
