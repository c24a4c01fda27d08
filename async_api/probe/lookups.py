"""How is a name looked up once for everybody who asks?"""

import asyncio
import socket
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult


class SharedLookups(AbstractResolver):
    """Asks another resolver once for each name, failures included, whoever waits.

    ``sift`` sees each answer before anybody else and says what remains of it.
    """

    def __init__(
        self,
        resolver: AbstractResolver,
        sift: Callable[[str, list[ResolveResult]], list[ResolveResult]],
    ) -> None:
        self._resolver = resolver
        self._sift = sift
        self._lookups: dict[
            tuple[str, socket.AddressFamily], asyncio.Task[list[ResolveResult]]
        ] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
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

    async def _look_up(
        self, host: str, family: socket.AddressFamily
    ) -> list[ResolveResult]:
        return self._sift(host, await self._resolver.resolve(host, 0, family))


def _acknowledge(lookup: asyncio.Task[list[ResolveResult]]) -> None:
    # A failure whose askers have all left would be logged as never retrieved.
    if not lookup.cancelled():
        lookup.exception()
