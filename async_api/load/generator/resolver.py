"""Looks names up as the system does, without holding up the event loop."""

import asyncio
import socket

from async_api.outbound.lookups import Lookup


class SystemResolver:
    """The system's getaddrinfo, in a thread of the event loop's."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Lookup]:
        """The addresses of a name; raises OSError when it has none."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM
        )
        return [
            Lookup(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=family_found,
                proto=protocol,
                flags=0,
            )
            for family_found, _, protocol, _, address in found
            # One with a scope names an interface of this machine.
            if len(address) < 4 or not address[3]
        ]

    async def close(self) -> None: ...
