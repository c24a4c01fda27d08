"""IP addresses, and whether they belong to the public internet.

The standard library's ``is_global`` and ``is_private`` differ between Python 3.11 and
3.14, and call multicast, NAT64 and 6to4 forms of private addresses global. So this module
has tables of its own, which follow the IANA registries
https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry and
https://www.iana.org/assignments/ipv6-address-space.
"""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SPECIAL_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network, unspecified (RFC 791)
            "10.0.0.0/8",  # private use (RFC 1918)
            "100.64.0.0/10",  # carrier-grade NAT (RFC 6598), Alibaba metadata
            "127.0.0.0/8",  # loopback (RFC 1122)
            "168.63.129.16/32",  # Azure's host agent: public space, responds only inside Azure
            "169.254.0.0/16",  # link-local (RFC 3927), cloud metadata
            "172.16.0.0/12",  # private use (RFC 1918)
            "192.0.0.0/24",  # protocol assignments (RFC 6890), Oracle metadata
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.88.99.0/24",  # 6to4 relays, withdrawn (RFC 7526)
            "192.168.0.0/16",  # private use (RFC 1918)
            "198.18.0.0/15",  # benchmarking (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved (RFC 1112) and broadcast (RFC 919)
        ),
    )
)

# The only part of IPv6 from which global unicast addresses are assigned (RFC 4291).
# Outside it lie loopback, link-local, unique local, multicast, discard, segment routing
# and the IPv4-compatible and IPv4-translated forms.
GLOBAL_UNICAST_IPV6 = IPv6Network("2000::/3")

SPECIAL_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments (RFC 2928): Teredo, ORCHID, benchmarking
            "2001:db8::/32",  # documentation (RFC 3849)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)

# All of its local-use sibling 64:ff9b:1::/48 (RFC 8215) is refused, as only the network
# that uses it knows which bits hold the IPv4 address.
NAT64 = IPv6Network("64:ff9b::/96")


def parse_address(text: str) -> Address:
    """Parse an address, and an IPv4-mapped one as its IPv4 address (RFC 4291).

    Raises ValueError for anything else, including an address with a scope ID
    (``fe80::1%eth0``), which names a network interface of this machine.
    """
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return address
    if address.scope_id is not None:
        raise ValueError(f"{text!r} has a scope ID; write the address without it")
    return address.ipv4_mapped or address


def parse_network(text: str) -> Network:
    """Parse a network, or an address as ``parse_address`` does.

    Raises ValueError for anything else, including bits set outside the mask.
    """
    network = ip_network(text)
    first = parse_address(str(network.network_address))
    unwrapped_bits = network.max_prefixlen - first.max_prefixlen
    return ip_network((first, network.prefixlen - unwrapped_bits))


def is_public(address: Address) -> bool:
    """Return whether an address is global unicast.

    Mapped, 6to4 (RFC 3056) and NAT64 (RFC 6052) addresses are as public as the IPv4
    address in them. Without NAT64, nothing could be reached from networks with DNS64.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL_IPV4)
    if address.scope_id is not None:
        return False
    embedded = address.ipv4_mapped or address.sixtofour
    if address in NAT64:
        embedded = IPv4Address(address.packed[-4:])
    if embedded is not None:
        return is_public(embedded)
    return address in GLOBAL_UNICAST_IPV6 and not any(
        address in network for network in SPECIAL_IPV6
    )
