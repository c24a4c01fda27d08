"""The addresses at which this process accepts connections."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port at one address, or at all addresses of this machine."""

    address: Address
    port: int
    also_ipv4: bool = False  # an unspecified IPv6 address that accepts IPv4 too

    def accepts(self, address: Address, port: int) -> bool:
        """Whether a connection to this address and port reaches this listener."""
        if port != self.port:
            return False
        if address.is_unspecified:
            # Linux and macOS connect to the loopback address instead.
            address = ip_address("127.0.0.1" if address.version == 4 else "::1")
        if not self.address.is_unspecified:
            return address == self.address
        same_family = address.version == self.address.version or self.also_ipv4
        return same_family and is_local(address)


_listeners: list[Listener] = []


def note_listeners(sockets: Iterable[socket.socket]) -> None:
    """Remembers the sockets that this process listens on; UNIX sockets have no address."""
    _listeners[:] = [
        listener_of(each)
        for each in sockets
        if each.family in {socket.AF_INET, socket.AF_INET6}
    ]


def listeners() -> tuple[Listener, ...]:
    """The listeners noted so far; none under a server that does not note them."""
    return tuple(_listeners)


def listener_of(listening: socket.socket) -> Listener:
    host, port, *_ = listening.getsockname()
    also_ipv4 = listening.family == socket.AF_INET6 and not listening.getsockopt(
        socket.IPPROTO_IPV6, socket.IPV6_V6ONLY
    )
    return Listener(ip_address(host), port, also_ipv4)


def is_local(address: Address) -> bool:
    """Whether it is an address of this machine, which alone can be bound."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.bind((str(address), 0))
    except OSError:
        return False
    return True
