"""The share of a core is measured while a client loads its target."""

import os
import sys

import pytest

from benchmarks.clients.run import RunFailed
from benchmarks.measuring.shares import observe
from benchmarks.servers.announced import announced
from benchmarks.servers.target import Target, serve

CLIENT = """
import socket, sys, time
time.sleep(float(sys.argv[3]))
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as client:
    end = time.monotonic() + 2
    while time.monotonic() < end:
        client.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
        client.recv(1000)
print(sys.argv[2])
"""


def test_both_sides_are_measured_from_the_beginning_of_the_load() -> None:
    core = min(os.sched_getaffinity(0))
    with announced(serve, Target(under_uvicorn=False), core) as target:
        port = target.url.rpartition(":")[2].strip("/")
        command = (sys.executable, "-c", CLIENT, port, "the report", "0.5")

        observed = observe(command, target, 2)

    assert observed.report == "the report\n"
    assert 0 < observed.client < 1.1
    assert 0 < observed.target < 1.1


@pytest.mark.parametrize(
    "code", ["raise SystemExit('the reason')", "print('the reason')"]
)
def test_a_client_that_sends_nothing_is_refused(code: str) -> None:
    core = min(os.sched_getaffinity(0))
    with announced(serve, Target(under_uvicorn=False), core) as target:
        with pytest.raises(RunFailed, match="did not load the target: the reason"):
            observe((sys.executable, "-c", code), target, 1)
