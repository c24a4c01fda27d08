"""Processes that hold leases, and whether they are alive on this machine."""

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")
# States of a process that has ended, although its parent has not been told yet.
ENDED = frozenset({"Z", "X"})


@dataclass(frozen=True, slots=True)
class Process:
    """A process, distinct from any other that ever had its PID.

    ``machine`` names the scope of PIDs: one boot of a kernel and, because each container
    has its own, one PID namespace. ``started`` is in clock ticks after the boot.
    """

    machine: str
    pid: int
    started: int

    def is_alive(self) -> bool:
        """Whether it runs; valid only on the same machine."""
        return started(self.pid) == self.started


def this_process() -> Process:
    """The current process. Call this after the fork.

    Where the system is not Linux, the machine's name is unique. Then no other process can
    tell that this one has died, and its lease has to expire.
    """
    pid = os.getpid()
    try:
        machine = f"{BOOT_ID.read_text().strip()} {os.readlink(PID_NAMESPACE)}"
    except OSError:
        machine = f"unknown {uuid.uuid4()}"
    return Process(machine, pid, started(pid) or 0)


def started(pid: int) -> int | None:
    """The start time of a process in clock ticks after the boot; None if it has ended.

    Field 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses, and may contain anything.
    state, *fields = status.rpartition(")")[2].split()
    return None if state in ENDED else int(fields[18])
