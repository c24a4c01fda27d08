"""Only global unicast addresses are public, on every version of Python."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_api.outbound.addresses import is_public, parse_address, parse_network

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",  # just below carrier-grade NAT
    "100.128.0.0",  # just above it
    "172.15.255.255",
    "172.32.0.0",
    "168.63.129.15",
    "223.255.255.255",  # the last before multicast
    "2000::1",
    "2001:200::1",  # the first after the protocol assignments
    "2606:4700:4700::1111",
    "2a00:1450:4001:831::200e",
    "3ffe:ffff::1",
    "::ffff:8.8.8.8",  # mapped
    "2002:808:808::1",  # 6to4
    "64:ff9b::8.8.8.8",  # NAT64, as DNS64 hands it out
]

NOT_PUBLIC = [
    "0.0.0.0",  # unspecified
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",  # carrier-grade NAT
    "100.100.100.200",  # Alibaba metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure host agent
    "169.254.0.1",
    "169.254.169.254",  # AWS, Google, Azure, Oracle metadata
    "169.254.170.2",  # AWS container credentials
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",  # Oracle metadata
    "192.0.2.1",  # documentation
    "192.88.99.1",  # 6to4 relay
    "192.168.1.1",
    "198.18.0.1",  # benchmarking
    "198.19.255.255",
    "198.51.100.1",  # documentation
    "203.0.113.1",  # documentation
    "224.0.0.1",  # multicast
    "239.255.255.255",
    "240.0.0.1",  # reserved
    "255.255.255.255",  # broadcast
    "::",
    "::1",
    "::8.8.8.8",  # IPv4-compatible: withdrawn, whatever address it contains
    "::ffff:0:8.8.8.8",  # translated
    "64:ff9b:1::8.8.8.8",  # local-use NAT64
    "100::1",  # discard
    "1fff:ffff::1",  # just below global unicast
    "2001::1",  # Teredo
    "2001:2::1",  # benchmarking
    "2001:10::1",  # ORCHID
    "2001:20::1",  # ORCHID, second version
    "2001:1ff:ffff::1",
    "2001:db8::1",  # documentation
    "3fff::1",  # documentation
    "4000::1",  # just above global unicast
    "5f00::1",  # segment routing
    "fc00::1",
    "fd00:ec2::254",  # AWS metadata
    "fd20:ce::254",  # Google metadata
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",  # a scope id means a link of this machine
    "fec0::1",  # site-local
    "ff02::1",  # multicast
]

PRIVATE_IPV4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3",
    )
]

unhurried = settings(deadline=None)  # a busy machine must not fail the test

private_ipv4 = st.sampled_from(PRIVATE_IPV4).flatmap(
    lambda network: st.ip_addresses(network=network)
)


def wrapped(address: IPv4Address, suffix: int) -> dict[str, IPv6Address]:
    """The ways to write an IPv4 address in IPv6; ``suffix`` fills the remaining bits."""
    bits = int(address)
    local = int(IPv6Address("64:ff9b:1::"))
    return {
        "mapped": IPv6Address(0xFFFF << 32 | bits),
        "compatible": IPv6Address(bits),
        "translated": IPv6Address(0xFFFF << 48 | bits),
        "6to4": IPv6Address(0x2002 << 112 | bits << 80 | suffix),
        "NAT64": IPv6Address(0x64FF9B << 96 | bits),
        "local NAT64, /96": IPv6Address(local | bits),
        # RFC 6052, section 2.2: the eight bits from the 64th stay zero.
        "local NAT64, /48": IPv6Address(
            local | (bits >> 16) << 64 | (bits & 0xFFFF) << 40
        ),
        "Teredo": IPv6Address(0x2001 << 112 | bits << 64 | (bits ^ 0xFFFFFFFF)),
    }


@pytest.mark.parametrize("text", PUBLIC)
def test_a_global_unicast_address_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_any_other_address_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@unhurried
@given(private_ipv4, st.integers(0, 2**80 - 1))
def test_a_private_address_is_private_in_every_ipv6_form(
    address: IPv4Address, suffix: int
) -> None:
    public = [form for form, it in wrapped(address, suffix).items() if is_public(it)]

    assert public == []


@unhurried
@given(st.ip_addresses(v=4), st.integers(0, 2**80 - 1))
def test_mapped_6to4_and_nat64_addresses_are_as_public_as_their_ipv4_address(
    address: IPv4Address, suffix: int
) -> None:
    forms = wrapped(address, suffix)

    verdicts = {is_public(forms[form]) for form in ("mapped", "6to4", "NAT64")}

    assert verdicts == {is_public(address)}


@unhurried
@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_public_here_and_private_to_python(
    address: IPv4Address,
) -> None:
    assert address.is_global or not is_public(address)


@unhurried
@given(st.ip_addresses(v=6))
def test_an_ipv6_address_outside_global_unicast_is_public_only_through_its_ipv4(
    address: IPv6Address,
) -> None:
    outside = address not in IPv6Network("2000::/3")

    if outside and is_public(address):
        assert address.ipv4_mapped or address in IPv6Network("64:ff9b::/96")


def test_a_mapped_address_is_read_as_the_ipv4_address_it_dials() -> None:
    assert parse_address("::ffff:127.0.0.1") == IPv4Address("127.0.0.1")
    assert parse_network("::ffff:10.0.0.0/104") == IPv4Network("10.0.0.0/8")


@pytest.mark.parametrize(
    "text",
    [
        "fe80::1%eth0",  # a scope id
        "127.1",  # a short form
        "0177.0.0.1",  # octal
        "2130706433",  # one number
        "127.0.0.1 ",
        "localhost",
        "",
    ],
)
def test_a_text_that_is_not_a_plain_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_address(text)
