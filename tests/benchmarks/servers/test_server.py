"""Servers are started, measured and stopped with all their processes."""

import pathlib

import pytest

from benchmarks.servers.peers import BARE, under_gunicorn
from benchmarks.servers.server import Server, ServerFailed, started
from benchmarks.servers.worker import Worker


def test_a_server_is_its_own_worker_and_stops_with_its_block() -> None:
    with started(BARE.server) as server:
        worker = Worker(server.worker, server.url)

        assert worker.get("/hello") == b"Hello"
        assert server.worker == server.process
        assert worker.resident_bytes() > 1_000_000

    assert not pathlib.Path(f"/proc/{server.process}").exists()


def test_requests_cost_cpu_and_an_idle_server_settles() -> None:
    with started(BARE.server) as server:
        worker = Worker(server.worker, server.url)
        server.settle()
        before = server.cpu_seconds()
        while server.cpu_seconds() < before + 0.05:
            worker.get("/hello")
        server.settle()


def test_the_worker_of_gunicorn_is_the_process_that_serves_requests() -> None:
    application = under_gunicorn("tests.benchmarks.process_id:application")
    with started(application) as server:
        worker = Worker(server.worker, server.url)

        assert int(worker.get("/hello")) == server.worker != server.process


def test_a_server_that_does_not_start_fails_with_its_output() -> None:
    with pytest.raises(ServerFailed, match="No module named nothing_of_that_name"):
        with started(Server(("-m", "nothing_of_that_name"))):
            pass
