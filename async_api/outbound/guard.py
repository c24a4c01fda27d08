"""Which addresses may a probe dial?

Only this keeps a private network private: a name says nothing about where it leads, so
the decision is taken for every socket, on the address it will use.
"""

import socket
from typing import Any

from async_api.outbound.addresses import Address, is_public, parse_address
from async_api.outbound.lookups import Lookup, Resolver, SharedLookups
from async_api.outbound.private_targets import PrivateTargets
from async_api.outbound.targets import Target

# As asyncio.loop.getaddrinfo gives them: family, type, protocol, canonical name, address.
AddressInfo = tuple[
    socket.AddressFamily | int, socket.SocketKind | int, int, str, tuple[Any, ...]
]


class TargetRefused(OSError):
    """Our policy said no, before any socket was opened.

    The sentence depends only on what the person wrote: it neither tells what a name
    resolved to nor whether anything listens there. An OSError, because happy eyeballs
    then counts it as a failed address and tries the next.
    """

    def __init__(self, subject: str = "This address") -> None:
        super().__init__(
            f"{subject} may not be probed: only public internet addresses may, and the "
            "networks and host names listed in PROBE_PRIVATE_TARGETS."
        )
        self.subject = subject


class Guard:
    """Decides for one probe which addresses its sockets may dial.

    Whatever dials takes both ``resolver`` and ``socket_factory`` from here. The factory
    is what protects; the resolver only spares repeated lookups and tells which addresses
    an allowed name has. Such an address is then allowed for the whole probe.
    """

    def __init__(self, private: PrivateTargets, resolver: Resolver) -> None:
        self._private = private
        self._named: set[Address] = set()
        self.dialled: set[tuple[str, int]] = set()
        self.resolver: Resolver = SharedLookups(resolver, self._sift)

    def socket_factory(self, info: AddressInfo) -> socket.socket:
        """Open a socket for the address about to be dialled, or raise TargetRefused."""
        family, kind, protocol, _, address = info
        scope = address[3] if family == socket.AF_INET6 and len(address) > 3 else 0
        if scope or not self._admits(address[0]):
            raise TargetRefused
        self.dialled.add((str(address[0]), int(address[1])))
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        return opened

    async def admit(self, target: Target) -> None:
        """Raise TargetRefused where no address of the target may be dialled.

        A name that does not resolve passes: that is for its requests to report.
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
            raise TargetRefused(target.host)

    def _admits(self, text: object) -> bool:
        # An allowed IPv4 network covers its mapped form, which dials the same host, but
        # not 6to4 or NAT64, which end at whatever a relay makes of them.
        address = _address(text)
        return address is not None and (
            is_public(address)
            or address in self._named
            or any(address in network for network in self._private.networks)
        )

    def _sift(self, name: str, found: list[Lookup]) -> list[Lookup]:
        """Leave out refused addresses, unless nothing remains to be refused."""
        if name.removesuffix(".") in self._private.names:
            addresses = (_address(result["host"]) for result in found)
            self._named.update(filter(None, addresses))
        return [result for result in found if self._admits(result["host"])] or found


def _address(text: object) -> Address | None:
    # ip_address would also read numbers and bytes, which connect reads otherwise.
    if not isinstance(text, str):
        return None
    try:
        return parse_address(text)
    except ValueError:
        return None
