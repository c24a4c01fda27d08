"""How near a probe's target is. A target in the probe's own process slows the probe down."""

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
    """The addresses of this site itself; none, in a process that serves nothing.

    `origin` recognises a site behind a proxy, which listens at another address.
    """

    listeners: tuple[Listener, ...] = ()
    origin: URL | None = None

    def nearness(
        self, dialled: Iterable[tuple[str, int]], origins: Iterable[URL]
    ) -> Nearness:
        """The nearest of the addresses connected to and the origins requested."""
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
    """This site's addresses, from its server and from the request."""
    try:
        target = parse_target(f"{request.scheme}://{request.get_host()}/")
    except InvalidTarget:
        return Here(listeners() or connected(request))
    return Here(listeners() or connected(request), target.origin)


def connected(request: HttpRequest) -> tuple[Listener, ...]:
    """The address at which this request arrived, if the server gives no others."""
    try:
        address = parse_address(request.META["SERVER_NAME"])
        return (Listener(address, int(request.META["SERVER_PORT"])),)
    except ValueError:
        return ()
