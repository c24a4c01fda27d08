"""URLs to send requests to: how they are parsed, and what is sent of them.

`guard` decides which addresses are allowed.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

from yarl import URL

MAX_URL_LENGTH = 2048
# Clients should support URIs of at least this many bytes (RFC 9110, section 4.1).
MAX_LOCATION_LENGTH = 8000
MAX_NAME_LENGTH = 253  # RFC 1035, as text and without the final dot
DEFAULT_PORTS = {"http": 80, "https": 443}

_SHOWN_LENGTH = 80
_UNWRITABLE = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Not allowed in a Location either; a header field can contain the rest.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.ASCII | re.IGNORECASE
)
# RFC 3986, appendix B.
_REFERENCE = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):)?(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]*))?")
# Host names have no underscores (RFC 1123), but names in private networks do.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# If the last label is a number, the whole host is an IPv4 address, for browsers
# (https://url.spec.whatwg.org/#ends-in-a-number-checker) and for getaddrinfo alike.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Sent unchanged: the characters of RFC 3986, the percent sign included, and those that
# browsers and curl send although RFC 3986 excludes them.
_SENT_AS_WRITTEN = "%!$&'()*+,;=:@/?-._~[]|^"


class InvalidTarget(ValueError):
    """A text is not a URL that requests can be sent to.

    ``reason`` is a clause that says what is wrong with ``subject``, the text or its
    beginning.
    """

    def __init__(self, subject: str, reason: str) -> None:
        if len(subject) > _SHOWN_LENGTH:
            subject = subject[: _SHOWN_LENGTH - 1] + "…"
        super().__init__(f"{subject!r}: {reason}.")
        self.subject = subject
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """An http or https URL without credentials and fragment.

    ``str()`` returns the URL. The host is normalised. Path and query are kept as given,
    because a different percent-encoding of a reserved character names a different
    resource (RFC 3986, section 2.2); only dot segments are resolved, and characters that
    are not allowed in a URL are percent-encoded.
    """

    scheme: str  # "http" or "https"
    host: str  # a name in ASCII and lower case, or an address without brackets
    port: int | None  # None for the scheme's default
    path: str  # path and query as sent; "" where the URL ends with the host

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        """Host and port, as in the ``Host`` header (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def request_target(self) -> str:
        """The origin-form of the request line (RFC 9112, section 3.2.1)."""
        return self.path if self.path.startswith("/") else f"/{self.path}"

    @property
    def origin(self) -> URL:
        """Scheme, host and port."""
        return URL(f"{self.scheme}://{self.authority}")


def parse_target(text: str) -> Target:
    """Parse an absolute URL; raises InvalidTarget.

    Nothing is corrected by guessing, such as spaces and line breaks.
    """
    _require_length(text, MAX_URL_LENGTH)
    if found := _UNWRITABLE.search(text):
        raise InvalidTarget(
            text,
            f"it has {found.group()!r} at position {found.start()}; spaces, control "
            "characters and backslashes must be removed or percent-encoded",
        )
    url = _URL.fullmatch(text)
    if url is None:
        raise InvalidTarget(text, "it must start with http:// or https://")
    if "@" in url["authority"]:
        raise InvalidTarget(
            f"{url['scheme']}://…@{url['authority'].rpartition('@')[2]}",
            "it contains a user name or password; remove everything up to the @",
        )
    return _target(text, url["scheme"], url["authority"], url["rest"])


def redirected(target: Target, location: str) -> Target:
    """The target of a ``Location`` (RFC 9110, section 10.2.2); raises InvalidTarget.

    Spaces, non-ASCII characters and backslashes in its path and query are
    percent-encoded; a byte that is not UTF-8 arrives as a surrogate escape. Credentials
    are removed without an error, because the user did not write them.
    """
    _require_length(location, MAX_LOCATION_LENGTH)
    if found := _CONTROL.search(location):
        raise InvalidTarget(
            location, f"it has {found.group()!r} at position {found.start()}"
        )
    location = location.strip(" ")
    reference = _REFERENCE.fullmatch(location)
    assert reference is not None  # it matches any text
    scheme = (reference["scheme"] or target.scheme).lower()
    if scheme not in DEFAULT_PORTS:
        raise InvalidTarget(location, "it must start with http:// or https://")
    query = reference["query"] or ""
    if reference["authority"] is not None:
        authority = reference["authority"].rpartition("@")[2]
        return _target(location, scheme, authority, reference["path"] + query)
    if reference["scheme"]:
        raise InvalidTarget(location, "it must be a URL, or a path on the same host")
    base_path, question, base_query = target.path.partition("?")
    path = reference["path"]
    if not path:
        path = base_path
        query = query or question + base_query
    elif not path.startswith("/"):
        # RFC 3986, section 5.2.3: beside the last segment of the base.
        path = base_path[: base_path.rfind("/") + 1] + path
        path = path if path.startswith("/") else f"/{path}"
    return _target(location, target.scheme, target.authority, path + query)


def _target(text: str, scheme: str, authority: str, rest: str) -> Target:
    scheme = scheme.lower()
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise InvalidTarget(
            text, "after // it needs a host, host:port or [IPv6 address]:port"
        )
    if not parts["host"]:
        raise InvalidTarget(
            text, "it has no host, such as example.com in http://example.com/"
        )
    digits = parts["port"] and (parts["port"].lstrip("0") or "0")
    port = DEFAULT_PORTS[scheme] if not digits else int(digits[:6])
    if not 1 <= port <= 65535:
        raise InvalidTarget(text, "its port must be a number from 1 to 65535")
    try:
        host = (
            _bracketed_address(parts["host"])
            if parts["host"].startswith("[")
            else parse_host(parts["host"])
        )
    except ValueError as error:
        raise InvalidTarget(text, str(error)) from None
    path, question, query = rest.partition("#")[0].partition("?")
    return Target(
        scheme,
        host,
        None if port == DEFAULT_PORTS[scheme] else port,
        _encoded(_without_dot_segments(path) + question + query),
    )


def _encoded(text: str) -> str:
    return quote(text, safe=_SENT_AS_WRITTEN, errors="surrogateescape")


def _without_dot_segments(path: str) -> str:
    """RFC 3986, section 5.2.4, of a path that is empty or starts with a slash."""
    if "/." not in path:
        return path
    kept: list[str] = []
    *segments, last = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    if last in {".", ".."}:
        last = ""
    return "/".join(["", *kept, last])


def _require_length(text: str, maximum: int) -> None:
    if len(text) > maximum:
        raise InvalidTarget(
            text, f"it is {len(text)} characters long, {maximum} are allowed"
        )


def _bracketed_address(text: str) -> str:
    try:
        address = IPv6Address(text[1:-1])
    except ValueError:
        address = None
    if address is None or address.scope_id is not None:
        raise ValueError(
            "the brackets must hold an IPv6 address without a zone, as in [2001:db8::1]"
        )
    return address.compressed


def parse_host(text: str) -> str:
    """Parse a host as a user writes it: an IPv4 address, or a name in ASCII.

    Raises ValueError with a clause that says what is wrong.
    """
    malformed = "its host is not a valid domain name, such as www.example.com"
    try:
        # Both directions, because yarl encodes some names that it cannot decode.
        encoded = URL.build(scheme="http", host=text)
        name = encoded.raw_host if encoded.host else None
    except ValueError:
        name = None
    if name is None:
        raise ValueError(malformed)
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # Parsed as written: 127。0。0。1 and １２７.0.0.1 become addresses only through
        # normalisation, which is a way to get around filters.
        try:
            return str(IPv4Address(text))
        except ValueError:
            raise ValueError(
                "its host is a number; an IPv4 address is written as four plain decimal "
                "numbers from 0 to 255, as in 192.0.2.1"
            ) from None
    if len(".".join(labels)) > MAX_NAME_LENGTH or not all(
        _LABEL.fullmatch(label) for label in labels
    ):
        raise ValueError(malformed)
    return name
