"""A request's target and header fields: what they mean for the connection, and their faults.

Field names are in lower case here, and values have no white space around them.
"""

import re
from dataclasses import dataclass

from async_views.runtime.asgi.problem_details import ProblemDetails, shortened
from async_views.runtime.asgi.types import Headers

# Optional white space (RFC 9110, section 5.6.3).
OWS = b" \t"
# The fields that `fault_in` reads.
DECISIVE = frozenset({b"host", b"transfer-encoding"})

# uri-host [ ":" port ] (RFC 9110, section 7.2); http does not allow an empty host.
AUTHORITY = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?",
    re.ASCII,
)
ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class AbsoluteTarget:
    """The parts of a target in absolute-form (RFC 9112, section 3.2.2).

    ``origin_form`` is its path and query.
    """

    authority: bytes
    origin_form: bytes


def absolute_target(target: bytes) -> AbsoluteTarget | None:
    """Parses a target; returns None unless it is an http or https URL with a valid host."""
    parts = ABSOLUTE.fullmatch(target)
    if parts is None or not AUTHORITY.fullmatch(parts[1]):
        return None
    rest = parts[2]
    return AbsoluteTarget(parts[1], rest if rest[:1] == b"/" else b"/" + rest)


def tokens(headers: Headers, wanted: bytes) -> list[bytes]:
    """The members of a list field, in lower case.

    Several fields of the same name are one list, and empty members are ignored
    (RFC 9110, sections 5.3 and 5.6.1).
    """
    return [
        token.lower()
        for name, value in headers
        if name == wanted
        for member in value.split(b",")
        if (token := member.strip(OWS))
    ]


def offers_websocket(version: str, headers: Headers) -> bool:
    """Whether the request is a WebSocket handshake (RFC 6455, section 4.2.1).

    HTTP/1.0 has no upgrades (RFC 9110, section 7.8).
    """
    return (
        version == "1.1"
        and b"upgrade" in tokens(headers, b"connection")
        and b"websocket" in tokens(headers, b"upgrade")
    )


def declares_body(headers: Headers) -> bool:
    """Whether there is a body of at least one byte, or of unknown length."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and int(value))
        for name, value in headers
    )


def fault_in(
    version: str, method: bytes, target: bytes, headers: Headers
) -> ProblemDetails | None:
    """Why a request with this head must be refused; None if it is valid."""
    hosts = [value for name, value in headers if name == b"host"]
    return (
        fault_in_hosts(version, hosts)
        or fault_in_framing(version, headers)
        or fault_in_target(method, target)
    )


def fault_in_hosts(version: str, hosts: list[bytes]) -> ProblemDetails | None:
    """RFC 9112, section 3.2."""
    if not hosts:
        if version != "1.1":
            return None
        return ProblemDetails(
            400, "The request has no Host: it should have one, such as example.org."
        )
    if len(hosts) > 1:
        return ProblemDetails(
            400, f"The request has {len(hosts)} Host fields: it should have one."
        )
    if AUTHORITY.fullmatch(hosts[0]):
        return None
    return ProblemDetails(
        400,
        f"Host is {printable(hosts[0])}: it should be a host name or an address, with an "
        "optional port, such as example.org:8000.",
    )


def fault_in_framing(version: str, headers: Headers) -> ProblemDetails | None:
    """RFC 9112, section 6.1.

    The parser itself refuses Content-Length that is repeated, not decimal, or together
    with Transfer-Encoding, and any coding after "chunked".
    """
    fields = [value for name, value in headers if name == b"transfer-encoding"]
    if not fields:
        return None
    if version != "1.1":
        # A proxy that speaks HTTP/1.0 has passed it on without understanding it.
        return ProblemDetails(
            400,
            "An HTTP/1.0 request cannot have Transfer-Encoding: use Content-Length.",
        )
    codings = tokens(headers, b"transfer-encoding")
    unknown = [coding for coding in codings if coding != b"chunked"]
    if unknown:
        return ProblemDetails(
            501,
            f"The transfer coding {printable(unknown[0])} is not supported: it should be "
            "chunked.",
        )
    if len(codings) != 1 or len(fields) != 1:
        return ProblemDetails(400, "Transfer-Encoding should be chunked, exactly once.")
    return None


def fault_in_target(method: bytes, target: bytes) -> ProblemDetails | None:
    """RFC 9112, section 3.2."""
    if method == b"CONNECT":
        return ProblemDetails(
            501, "CONNECT is not supported: this site is not a proxy."
        )
    if target[:1] == b"/" or absolute_target(target) is not None:
        return None
    return ProblemDetails(
        400,
        f"The request's target is {printable(target)}: it should be a path, or an "
        "absolute URL that begins with http.",
    )


def printable(value: bytes) -> str:
    return repr(shortened(value.decode("latin-1")))
