"""A worker's garbage collector and limits are set."""

import resource
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect

from tests.support.site import Site


def test_the_garbage_collector_ignores_what_a_worker_loaded_at_its_start() -> None:
    with Site("tests.runtime.server.heap:frozen") as site, urlopen(site.url) as answer:
        frozen = int(answer.read())

    assert frozen > 10_000


def test_requests_leave_nothing_to_the_garbage_collector() -> None:
    with Site("tests.runtime.server.heap:garbage") as site:
        with closing(HTTPConnection("127.0.0.1", site.port)) as connection:
            found = [int(fetch(connection)) for _ in range(20)]

    assert found[5:] == [0] * 15


def test_sockets_leave_nothing_to_the_garbage_collector() -> None:
    with Site("tests.runtime.server.heap:garbage") as site:
        with closing(HTTPConnection("127.0.0.1", site.port)) as connection:
            found = []
            for _ in range(20):
                with connect(f"ws://127.0.0.1:{site.port}/") as socket:
                    socket.send("hello")
                    socket.recv()
                found.append(int(fetch(connection)))

    assert found[5:] == [0] * 15


def fetch(connection: HTTPConnection) -> bytes:
    connection.request("GET", "/")
    return connection.getresponse().read()


@pytest.fixture
def few_files() -> Iterator[int]:
    """A low soft limit for this process and its children; yields the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1000, hard), hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_worker_may_open_as_many_files_as_the_system_allows(
    few_files: int,
) -> None:
    with Site() as site, urlopen(f"{site.url}/healthz"):
        [worker] = site.workers()
        bounds = worker.rlimit(resource.RLIMIT_NOFILE)

    assert bounds == (few_files, few_files)
