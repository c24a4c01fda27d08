"""Which addresses belong to this machine."""

import psutil
import pytest

from async_api.load.generator.nearness import is_of_this_machine


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_addresses_are_of_this_machine(address: str) -> None:
    assert is_of_this_machine(address)


def test_the_addresses_of_its_interfaces_are_of_this_machine() -> None:
    addresses = [
        each.address
        for interface in psutil.net_if_addrs().values()
        for each in interface
        if each.family.name == "AF_INET"
    ]

    assert all(map(is_of_this_machine, addresses))


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_other_addresses_are_not(address: str) -> None:
    assert not is_of_this_machine(address)
