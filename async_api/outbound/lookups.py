"""Lookups of names, each done once for all who ask at the same time."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol, TypedDict


class Lookup(TypedDict):
    """One address of a name; the members are those of aiohttp's ResolveResult."""

    hostname: str
    host: str
    port: int
    family: int
    proto: int
    flags: int


class Resolver(Protocol):
    """What looks names up; aiohttp's resolvers are such."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Lookup]:
        """The addresses of a name; raises OSError for one that has none."""

    async def close(self) -> None: ...


class SharedLookups:
    """Asks another resolver once for each name, failures included, whoever waits.

    ``sift`` sees each answer before anybody else and says what remains of it.
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
        # Waits beside the task, not inside it: an asker who is cancelled goes alone.
        await asyncio.wait((lookup,))
        return [{**result, "port": port} for result in lookup.result()]

    async def close(self) -> None:
        """Stop what is still being looked up; the other resolver is its owner's."""
        for lookup in self._lookups.values():
            lookup.cancel()
        await asyncio.gather(*self._lookups.values(), return_exceptions=True)

    async def _look_up(self, host: str, family: socket.AddressFamily) -> list[Lookup]:
        return self._sift(host, await self._resolver.resolve(host, 0, family))


def _acknowledge(lookup: asyncio.Task[list[Lookup]]) -> None:
    # A failure whose askers have all left would be logged as never retrieved.
    if not lookup.cancelled():
        lookup.exception()
