"""How near a probe's target is: a target that shares the probe's process slows it down."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from django.http import HttpRequest
from yarl import URL

from async_api.outbound.addresses import parse_address
from async_api.outbound.targets import InvalidTarget, parse_target
from async_views.runtime.server.listeners import Listener, is_local, listeners


class Nearness(IntEnum):
    ELSEWHERE = 0
    SAME_MACHINE = 1
    SAME_SITE = 2


@dataclass(frozen=True, slots=True)
class Here:
    """Where the one who probes can be reached; nowhere, in a process that serves nothing.

    `origin` finds a site behind a proxy, whose address is not the site's own.
    """

    listeners: tuple[Listener, ...] = ()
    origin: URL | None = None

    def nearness(
        self, dialled: Iterable[tuple[str, int]], origins: Iterable[URL]
    ) -> Nearness:
        """Of the nearest among the addresses that were dialled and the origins asked."""
        if self.origin is not None and self.origin in origins:
            return Nearness.SAME_SITE
        return max(
            (self._nearness_of(*each) for each in dialled), default=Nearness.ELSEWHERE
        )

    def _nearness_of(self, host: str, port: int) -> Nearness:
        address = parse_address(host)
        if any(each.accepts(address, port) for each in self.listeners):
            return Nearness.SAME_SITE
        return Nearness.SAME_MACHINE if is_local(address) else Nearness.ELSEWHERE


NOWHERE = Here()


def here(request: HttpRequest) -> Here:
    """Where this site is, as its server and whoever asks it know."""
    try:
        target = parse_target(f"{request.scheme}://{request.get_host()}/")
    except InvalidTarget:
        return Here(listeners() or connected(request))
    return Here(listeners() or connected(request), target.origin)


def connected(request: HttpRequest) -> tuple[Listener, ...]:
    """The address at which this request arrived, where the server tells no more."""
    try:
        address = parse_address(request.META["SERVER_NAME"])
        return (Listener(address, int(request.META["SERVER_PORT"])),)
    except ValueError:
        return ()
