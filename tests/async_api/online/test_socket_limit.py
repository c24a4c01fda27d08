"""The number of open sockets is limited, in a worker and for each address."""

from contextlib import ExitStack

import pytest

from async_api.online.socket_limit import SocketLimit, SocketLimitReached


def take(limit: SocketLimit, *addresses: str) -> ExitStack:
    taken = ExitStack()
    for address in addresses:
        taken.enter_context(limit.slot(address))
    return taken


def test_a_worker_limits_its_sockets() -> None:
    limit = SocketLimit(maximum=2, max_per_address=0)
    with take(limit, "192.0.2.1", "192.0.2.2"):
        with pytest.raises(SocketLimitReached, match="This worker has 2 sockets open"):
            take(limit, "192.0.2.3")


def test_each_address_has_its_own_limit() -> None:
    limit = SocketLimit(maximum=10, max_per_address=2)
    with take(limit, "192.0.2.1", "192.0.2.1"):
        with pytest.raises(
            SocketLimitReached, match=r"address 192\.0\.2\.1 has 2 sockets open"
        ):
            take(limit, "192.0.2.1")
        take(limit, "192.0.2.2").close()


def test_an_ipv6_network_counts_as_one_address() -> None:
    limit = SocketLimit(maximum=10, max_per_address=1)
    with take(limit, "2001:db8:1:2::1"):
        with pytest.raises(SocketLimitReached, match="2001:db8:1:2::/64"):
            take(limit, "2001:db8:1:2:ffff::2")
        take(limit, "2001:db8:1:3::1").close()


def test_without_a_limit_an_address_may_open_all_sockets() -> None:
    limit = SocketLimit(maximum=100, max_per_address=0)

    take(limit, *["192.0.2.1"] * 100).close()


def test_a_closed_socket_is_no_longer_counted() -> None:
    limit = SocketLimit(maximum=1, max_per_address=1)

    for number in range(5):
        take(limit, f"192.0.2.{number}").close()

    assert limit.open == 0
    assert not limit.open_by


def test_a_refused_socket_is_not_counted() -> None:
    limit = SocketLimit(maximum=5, max_per_address=1)
    with take(limit, "192.0.2.1"):
        for _ in range(3):
            with pytest.raises(SocketLimitReached):
                take(limit, "192.0.2.1")

        assert limit.open == 1
