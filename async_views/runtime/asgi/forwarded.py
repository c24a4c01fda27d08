"""The client's address, the scheme and the host, behind trusted proxies.

A proxy appends the address of its client to `X-Forwarded-For`, and the scheme to
`X-Forwarded-Proto`. So both lists are read from the right, as long as the proxy that wrote
an entry is trusted. Entries further left may have been sent by anyone.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from async_views.runtime.asgi.types import (
    Application,
    Headers,
    Receive,
    Scope,
    Send,
)

MAX_ADDRESS_LENGTH = 253
MAX_CACHED = 4096
SECURE = {"http": False, "https": True, "ws": False, "wss": True}
DEFAULT_PORTS = {"http": "80", "https": "443"}
LOOKED_AT = frozenset({b"host", b"origin", b"x-forwarded-for", b"x-forwarded-proto"})
MAYBE_DEFAULT = (b":", b"80", b"443")


class Proxies:
    """The trusted proxies: addresses and networks in the notation of ipaddress."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self.networks = [ipaddress.ip_network(each, strict=False) for each in trusted]
        self._trusts = lru_cache(MAX_CACHED)(self._compute)

    def __contains__(self, address: str) -> bool:
        # A longer text is not an address, and would fill the memory of the cache.
        return len(address) <= MAX_ADDRESS_LENGTH and self._trusts(address)

    def _compute(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self.networks)

    def origin(
        self, addresses: Sequence[str], schemes: Sequence[str]
    ) -> tuple[tuple[str, int] | None, bool | None]:
        """The client's address and port, and whether it used TLS; None if unknown.

        The port is 0 if no proxy named it. If all addresses are trusted, or there are
        none, the leftmost entries count.
        """
        client = None
        hops = 0
        for entry in reversed(addresses):
            client = host_and_port(entry)
            hops += 1
            if client[0] not in self:
                break
        else:
            hops = max(len(addresses), len(schemes))
        if not schemes:
            return client, None
        # There are fewer entries if a proxy replaces the list instead of appending.
        scheme = schemes[max(0, len(schemes) - hops)]
        return client, SECURE.get(scheme.lower())


def host_and_port(entry: str) -> tuple[str, int]:
    """Splits 192.0.2.7, 192.0.2.7:80, 2001:db8::7 or [2001:db8::7]:80; nothing else."""
    host, port = entry, ""
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]")
        port = port[1:]
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    if not port:
        return host, 0
    if port.isascii() and port.isdigit() and len(port) <= 5:
        return host, int(port)
    return entry, 0


def members(values: Iterable[str]) -> list[str]:
    """The members of a list in one field or in several (RFC 9110, section 5.3)."""
    return [
        stripped
        for value in values
        for member in value.split(",")
        if (stripped := member.strip(" \t"))
    ]


def without_default_port(authority: str, scheme: str) -> str:
    """The authority without the scheme's default port (RFC 9110, section 4.2.3)."""
    host, colon, port = authority.rpartition(":")
    if colon and host and port.lstrip("0") in ("", DEFAULT_PORTS[scheme]):
        return host
    return authority


def origin_without_default_port(origin: str) -> str:
    scheme, separator, authority = origin.partition("://")
    if scheme.lower() not in DEFAULT_PORTS:
        return origin
    return scheme + separator + without_default_port(authority, scheme.lower())


class Forwarded:
    """ASGI middleware that sets the client and scheme seen by the first trusted proxy.

    It also removes the default port from Host and Origin.
    """

    def __init__(self, application: Application, trusted: Iterable[str]) -> None:
        self.application = application
        self.proxies = Proxies(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            self.settle(scope)
        await self.application(scope, receive, send)

    def settle(self, scope: Scope) -> None:
        found = [field for field in scope["headers"] if field[0] in LOOKED_AT]
        if len(found) == 1 and found[0][0] == b"host":
            # Most requests have none of the others.
            if not found[0][1].endswith(MAYBE_DEFAULT):
                return
        client = scope["client"]
        addresses = decoded(found, b"x-forwarded-for")
        schemes = decoded(found, b"x-forwarded-proto")
        if (addresses or schemes) and client and client[0] in self.proxies:
            named, is_secure = self.proxies.origin(members(addresses), members(schemes))
            if named is not None:
                scope["client"] = named
            if is_secure is not None:
                kind = "ws" if scope["type"] == "websocket" else "http"
                scope["scheme"] = kind + "s" * is_secure
        scheme = "https" if SECURE[scope["scheme"]] else "http"
        for index, (name, value) in enumerate(scope["headers"]):
            if name == b"host":
                text = without_default_port(value.decode("latin-1"), scheme)
            elif name == b"origin":
                text = origin_without_default_port(value.decode("latin-1"))
            else:
                continue
            scope["headers"][index] = (name, text.encode("latin-1"))


def decoded(headers: Headers, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == wanted]


def forwarded_wsgi(
    application: Callable[..., Any], trusted: Iterable[str]
) -> Callable[..., Any]:
    """The same for WSGI, where the server joins fields of the same name with commas."""
    proxies = Proxies(trusted)

    def settled(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ.get("REMOTE_ADDR", "") in proxies:
            client, is_secure = proxies.origin(
                members([environ.get("HTTP_X_FORWARDED_FOR", "")]),
                members([environ.get("HTTP_X_FORWARDED_PROTO", "")]),
            )
            if client is not None:
                environ["REMOTE_ADDR"] = client[0]
            if is_secure is not None:
                environ["wsgi.url_scheme"] = "http" + "s" * is_secure
        if "HTTP_HOST" in environ:
            environ["HTTP_HOST"] = without_default_port(
                environ["HTTP_HOST"], environ["wsgi.url_scheme"]
            )
        if "HTTP_ORIGIN" in environ:
            environ["HTTP_ORIGIN"] = origin_without_default_port(environ["HTTP_ORIGIN"])
        return application(environ, start_response)

    return settled
