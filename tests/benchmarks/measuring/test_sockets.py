"""The connections that a server has open are counted."""

import os
import socket
from urllib.parse import urlsplit

from benchmarks.measuring.sockets import connections, wait_for_connections
from benchmarks.servers.announced import announced
from benchmarks.servers.target import Target, serve


def test_open_connections_are_counted_until_they_are_closed() -> None:
    core = min(os.sched_getaffinity(0))
    with announced(serve, Target(under_uvicorn=False), core) as target:
        address = urlsplit(target.url)
        where = address.hostname, address.port
        with socket.create_connection(where), socket.create_connection(where):
            wait_for_connections(target.process, 2)

            assert connections(target.process) == 2
        while connections(target.process):
            pass
