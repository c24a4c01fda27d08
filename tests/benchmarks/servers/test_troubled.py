"""Every second request is disturbed, and every one is counted."""

import multiprocessing
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from benchmarks.servers.announced import announced
from benchmarks.servers.target import ANSWER
from benchmarks.servers.troubled import BEGINNING, Trouble, serve

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def troubled(trouble: Trouble) -> Iterator[tuple[tuple[str, int], list[int]]]:
    """The address of a target, and a list that gets what it has counted at the end."""
    log = multiprocessing.get_context("spawn").Value("q", 0)
    counted: list[int] = []
    core = min(os.sched_getaffinity(0))
    with announced(serve, trouble, core, log) as target:
        address = urlsplit(target.url)
        assert address.hostname and address.port
        yield (address.hostname, address.port), counted
        counted.append(log.value)


def answered_once(client: socket.socket) -> None:
    client.settimeout(30)
    client.sendall(REQUEST)
    assert client.recv(1_000) == ANSWER
    client.sendall(REQUEST)


def test_a_reset_is_a_reset_and_not_an_end() -> None:
    with troubled("reset") as (address, counted):
        with socket.create_connection(address) as client:
            answered_once(client)
            with pytest.raises(ConnectionResetError):
                while client.recv(1_000):
                    pass

    assert counted == [2]


def test_a_half_closed_connection_ends_within_its_response() -> None:
    with troubled("half closed") as (address, counted):
        with socket.create_connection(address) as client:
            answered_once(client)
            assert client.recv(1_000) == BEGINNING
            assert client.recv(1_000) == b""

    assert counted == [2]


def test_a_stalled_response_begins_and_does_not_end() -> None:
    with troubled("stalled") as (address, counted):
        with socket.create_connection(address) as client:
            answered_once(client)
            assert client.recv(1_000) == BEGINNING
            # The fourth is disturbed too, and does not begin.
            client.sendall(REQUEST + REQUEST + REQUEST)
            answers = b""
            while len(answers) < 2 * len(ANSWER):
                answers += client.recv(1_000)
            assert answers == ANSWER + ANSWER

    assert counted == [5]
