"""The guard: which addresses the site's own requests may connect to.

This alone protects private networks. A name says nothing about where it leads, so the
guard decides for each socket, by the address it will use.
"""

import socket
from typing import Any

from async_api.outbound.addresses import Address, is_public, parse_address
from async_api.outbound.lookups import Lookup, Resolver, SharedLookups
from async_api.outbound.private_targets import PrivateTargets
from async_api.outbound.targets import Target

# From asyncio.loop.getaddrinfo: family, type, protocol, canonical name, address.
AddressInfo = tuple[
    socket.AddressFamily | int, socket.SocketKind | int, int, str, tuple[Any, ...]
]


class TargetRefused(OSError):
    """The policy refuses a target; no socket was opened.

    The message depends only on what the client sent. It reveals neither the address of a
    name nor whether anything listens there. This is an OSError so that happy eyeballs
    counts it as a failed address and tries the next.
    """


class Guard:
    """Decides which addresses the sockets of one HTTP client may connect to.

    The client must use both ``resolver`` and ``socket_factory``. The factory protects; the
    resolver avoids repeated lookups and finds the addresses of allowed names. The guard
    then allows such an address for as long as it lives.

    ``refusal`` is the message of TargetRefused, with ``{subject}`` for the target.
    """

    def __init__(
        self, private: PrivateTargets, resolver: Resolver, refusal: str
    ) -> None:
        self._private = private
        self._refusal = refusal
        self._named: set[Address] = set()
        self.dialled: set[tuple[str, int]] = set()
        self.resolver: Resolver = SharedLookups(resolver, self._sift)

    def socket_factory(self, info: AddressInfo) -> socket.socket:
        """Open a socket for an address; raises TargetRefused where it is not allowed."""
        family, kind, protocol, _, address = info
        scope = address[3] if family == socket.AF_INET6 and len(address) > 3 else 0
        if scope or not self._admits(address[0]):
            raise self._refused("This address")
        self.dialled.add((str(address[0]), int(address[1])))
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        return opened

    async def admit(self, target: Target) -> None:
        """Raise TargetRefused where none of the target's addresses is allowed.

        A name that does not resolve passes, for its requests to report.
        """
        if _address(target.host) is not None:
            addresses = [target.host]
        else:
            try:
                found = await self.resolver.resolve(
                    target.host, target.port or 0, socket.AF_UNSPEC
                )
            except OSError:
                return
            addresses = [result["host"] for result in found]
        if addresses and not any(map(self._admits, addresses)):
            raise self._refused(target.host)

    def _refused(self, subject: str) -> TargetRefused:
        return TargetRefused(self._refusal.format(subject=subject))

    def _admits(self, text: object) -> bool:
        # An allowed IPv4 network includes its mapped form, which reaches the same host,
        # but not 6to4 and NAT64, for which a relay decides where they lead.
        address = _address(text)
        return address is not None and (
            is_public(address)
            or address in self._named
            or any(address in network for network in self._private.networks)
        )

    def _sift(self, name: str, found: list[Lookup]) -> list[Lookup]:
        """Remove refused addresses, unless all are: the socket factory refuses those."""
        if name.removesuffix(".") in self._private.names:
            addresses = (_address(result["host"]) for result in found)
            self._named.update(filter(None, addresses))
        return [result for result in found if self._admits(result["host"])] or found


def _address(text: object) -> Address | None:
    # ip_address would also accept integers and bytes, which connect() reads differently.
    if not isinstance(text, str):
        return None
    try:
        return parse_address(text)
    except ValueError:
        return None
