"""A process knows its own addresses, whatever it is bound to."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from async_views.runtime.server.listeners import is_local, listener_of


@contextmanager
def listening(host: str, *, also_ipv4: bool = False) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as server:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not also_ipv4)
        server.bind((host, 0))
        server.listen()
        yield server


@pytest.mark.parametrize(
    ("bound", "dialled", "accepted"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "::1", False),
        ("0.0.0.0", "127.0.0.2", True),
        ("0.0.0.0", "198.51.100.1", False),
        ("0.0.0.0", "::1", False),
        ("::1", "::1", True),
        ("::1", "::", True),
        ("::", "::1", True),
        ("::", "127.0.0.1", False),
    ],
)
def test_a_listener_accepts_the_addresses_that_reach_its_socket(
    bound: str, dialled: str, accepted: bool
) -> None:
    with listening(bound) as server:
        listener = listener_of(server)
        port = server.getsockname()[1]

        assert listener.accepts(ip_address(dialled), port) is accepted
        assert not listener.accepts(ip_address(dialled), port + 1)


def test_an_ipv6_listener_may_take_ipv4_too() -> None:
    with listening("::", also_ipv4=True) as server:
        listener = listener_of(server)

        assert listener.accepts(ip_address("127.0.0.1"), listener.port)


@pytest.mark.parametrize(
    ("address", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("198.51.100.1", False)],
)
@pytest.mark.served
def test_an_address_of_this_machine_is_local(address: str, local: bool) -> None:
    assert is_local(ip_address(address)) is local
