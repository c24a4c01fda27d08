"""The open connections of a server, as the kernel lists them."""

import time

import psutil

from benchmarks.clients.run import RunFailed

SECONDS_TO_CONNECT = 30
POLL_SECONDS = 0.01


def connections(process: int) -> int:
    """The connections that clients of a process have open."""
    found = psutil.Process(process).net_connections(kind="tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED for each in found)


def wait_for_connections(process: int, number: int) -> None:
    """Raises RunFailed if there are not that many in time."""
    deadline = time.monotonic() + SECONDS_TO_CONNECT
    while (found := connections(process)) < number:
        if time.monotonic() > deadline:
            raise RunFailed(f"{found} connections are open, {number} are expected.")
        time.sleep(POLL_SECONDS)
