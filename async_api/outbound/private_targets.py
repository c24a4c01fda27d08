"""Targets that are allowed although they are not public."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from async_api.outbound.addresses import Network, parse_network
from async_api.outbound.targets import parse_host


@dataclass(frozen=True)
class PrivateTargets:
    """Networks and host names that are allowed although they are not public."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()


def parse_private_targets(items: Iterable[str]) -> PrivateTargets:
    """Parse addresses, networks and exact host names.

    Raises ValueError with a message that names the item and what it should be.
    """
    networks: list[Network] = []
    names: set[str] = set()
    for item in items:
        try:
            networks.append(parse_network(item))
            continue
        except ValueError:
            _reject_host_bits(item)
        try:
            names.add(parse_host(item).removesuffix("."))
        except ValueError:
            raise ValueError(
                f"{item!r} is not an address, network or host name; write it as "
                "127.0.0.1, 10.0.0.0/8, ::1/128 or intranet.example."
            ) from None
    return PrivateTargets(tuple(networks), frozenset(names))


def _reject_host_bits(item: str) -> None:
    try:
        network = parse_network(str(ip_network(item, strict=False)))
    except ValueError:
        return
    address = item.partition("/")[0]
    raise ValueError(
        f"{item!r} has bits set outside its mask; write {network} for the network or "
        f"{address} for the one address."
    )
