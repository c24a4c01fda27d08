"""Does the process that took a lease still live, as far as this machine can tell?"""

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")
# Ended, though its parent has not been told yet.
ENDED = frozenset({"Z", "X"})


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told from any other that ever had its number.

    ``machine`` is within what numbers are given: one boot of a kernel and, as containers
    count from one each, one namespace. ``started`` is in clock ticks after the boot.
    """

    machine: str
    pid: int
    started: int

    def is_alive(self) -> bool:
        """Whether it runs; only a process of the same machine can ask."""
        return started(self.pid) == self.started


def this_process() -> Process:
    """The process that asks. Call it after the fork.

    Where the kernel tells nothing (it is not Linux), the machine is one of its own: then
    nobody can tell that this process has died, and its lease has to run out.
    """
    pid = os.getpid()
    try:
        machine = f"{BOOT_ID.read_text().strip()} {os.readlink(PID_NAMESPACE)}"
    except OSError:
        machine = f"unknown {uuid.uuid4()}"
    return Process(machine, pid, started(pid) or 0)


def started(pid: int) -> int | None:
    """When a process started, in clock ticks after the boot; None if it has ended.

    Field 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold anything.
    state, *fields = status.rpartition(")")[2].split()
    return None if state in ENDED else int(fields[18])
