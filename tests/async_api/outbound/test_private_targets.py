import re
from ipaddress import IPv4Network, IPv6Network

import pytest

from async_api.outbound.private_targets import parse_private_targets


def test_private_targets_are_addresses_networks_and_names() -> None:
    private = parse_private_targets(
        [
            "10.0.0.0/8",
            "127.0.0.1",
            "::1/128",
            "Intranet.example.",
            "::ffff:192.168.0.1",
        ]
    )

    assert private.networks == (
        IPv4Network("10.0.0.0/8"),
        IPv4Network("127.0.0.1/32"),
        IPv6Network("::1/128"),
        IPv4Network("192.168.0.1/32"),
    )
    assert private.names == {"intranet.example"}


@pytest.mark.parametrize(
    "item",
    [
        "",
        " 10.0.0.1",
        "10.0.0.0/33",
        "127.1",
        "*.example",
        "a:80",
        "[::1]",
        "http://a/",
    ],
)
def test_an_invalid_item_is_refused_with_what_would_be_valid(item: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{item!r} is not an address")):
        parse_private_targets([item])


def test_a_network_with_host_bits_is_refused_with_the_correction() -> None:
    with pytest.raises(ValueError, match="write 10.1.0.0/16 for the network"):
        parse_private_targets(["10.1.2.3/16"])
