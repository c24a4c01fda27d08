"""Lookups of names, each done once and shared by all requests that need it."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol, TypedDict


class Lookup(TypedDict):
    """One address of a name, with the members of aiohttp's ResolveResult."""

    hostname: str
    host: str
    port: int
    family: int
    proto: int
    flags: int


class Resolver(Protocol):
    """Looks names up, as aiohttp's resolvers do."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Lookup]:
        """The addresses of a name; raises OSError when it has none."""

    async def close(self) -> None: ...


class SharedLookups:
    """Queries another resolver once for each name, and remembers failures too.

    ``sift`` receives each result first and returns what remains of it.
    """

    def __init__(
        self,
        resolver: Resolver,
        sift: Callable[[str, list[Lookup]], list[Lookup]],
    ) -> None:
        self._resolver = resolver
        self._sift = sift
        self._lookups: dict[
            tuple[str, socket.AddressFamily], asyncio.Task[list[Lookup]]
        ] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Lookup]:
        lookup = self._lookups.get((host, family))
        if lookup is None:
            lookup = asyncio.create_task(self._look_up(host, family))
            lookup.add_done_callback(_acknowledge)
            self._lookups[host, family] = lookup
        # Waits beside the task, so that cancelling this request does not cancel the lookup.
        await asyncio.wait((lookup,))
        return [{**result, "port": port} for result in lookup.result()]

    async def close(self) -> None:
        """Cancel the lookups under way. Does not close the other resolver."""
        for lookup in self._lookups.values():
            lookup.cancel()
        await asyncio.gather(*self._lookups.values(), return_exceptions=True)

    async def _look_up(self, host: str, family: socket.AddressFamily) -> list[Lookup]:
        return self._sift(host, await self._resolver.resolve(host, 0, family))


def _acknowledge(lookup: asyncio.Task[list[Lookup]]) -> None:
    # asyncio would log a failure that no request waits for as never retrieved.
    if not lookup.cancelled():
        lookup.exception()
