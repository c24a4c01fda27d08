"""Which texts are URLs that a probe can send to?

That says nothing about where they lead: which addresses may be dialled, `guard` decides.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urljoin

from yarl import URL

MAX_URL_LENGTH = 2048
MAX_NAME_LENGTH = 253  # RFC 1035, as text and without the final dot

_SHOWN_LENGTH = 80
_UNWRITABLE = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.ASCII | re.IGNORECASE
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]*))?")
# Underscores are not for host names (RFC 1123), but names inside a network have them.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# A last label that reads as a number makes the whole host an IPv4 address, for browsers
# (https://url.spec.whatwg.org/#ends-in-a-number-checker) and for getaddrinfo alike.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class InvalidTarget(ValueError):
    """A text that is no URL to probe; ``reason`` says what is wrong with ``subject``."""

    def __init__(self, subject: str, reason: str) -> None:
        shown = subject
        if len(subject) > _SHOWN_LENGTH:
            shown = subject[: _SHOWN_LENGTH - 1] + "…"
        super().__init__(f"{shown!r} cannot be probed: {reason}.")
        self.subject = subject
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """A normalised http or https URL without credentials and fragment."""

    url: URL

    @property
    def host(self) -> str:
        """The name in ASCII and lower case, or the address without brackets."""
        return self.url.raw_host or ""


def parse_target(text: str) -> Target:
    """Read an absolute URL; raises InvalidTarget."""
    _require_writable(text)
    url = _URL.fullmatch(text)
    if url is None:
        raise InvalidTarget(text, "it must start with http:// or https://")
    if "@" in url["authority"]:
        raise InvalidTarget(
            f"{url['scheme']}://…@{url['authority'].rpartition('@')[2]}",
            "it carries a user name or password; leave out all up to the @",
        )
    authority = _AUTHORITY.fullmatch(url["authority"])
    if authority is None:
        raise InvalidTarget(
            text, "after // it needs a host, host:port or [IPv6 address]:port"
        )
    if not authority["host"]:
        raise InvalidTarget(
            text, "it names no host, as example.com does in http://example.com/"
        )
    if authority["port"] and not 1 <= int(authority["port"]) <= 65535:
        raise InvalidTarget(text, "its port must be a number from 1 to 65535")
    try:
        host = (
            _bracketed_address(authority["host"])
            if authority["host"].startswith("[")
            else parse_host(authority["host"])
        )
    except ValueError as error:
        raise InvalidTarget(text, str(error)) from None
    port = f":{authority['port']}" if authority["port"] else ""
    normalised = URL(f"{url['scheme']}://{host}{port}{url['rest']}")
    if normalised.is_default_port():
        # yarl leaves it out of the text, yet tells the two URLs apart.
        normalised = normalised.with_port(None)
    return Target(normalised.with_fragment(None))


def redirected(target: Target, location: str) -> Target:
    """Follow a ``Location`` (RFC 9110, section 10.2.2); raises InvalidTarget.

    Credentials in it are dropped rather than complained of: the person who asked for
    the probe did not write them.
    """
    _require_writable(location)
    try:
        joined = urljoin(str(target.url), location)
    except ValueError:
        raise InvalidTarget(
            location, "it must be a URL, or a path on the same host"
        ) from None
    if url := _URL.fullmatch(joined):
        host_and_port = url["authority"].rpartition("@")[2]
        joined = f"{url['scheme']}://{host_and_port}{url['rest']}"
    return parse_target(joined)


def _require_writable(text: str) -> None:
    # yarl and urllib silently delete tabs and line ends, and trim spaces: what was
    # checked would then not be what is requested.
    if len(text) > MAX_URL_LENGTH:
        raise InvalidTarget(
            text, f"it is {len(text)} characters long, {MAX_URL_LENGTH} are allowed"
        )
    if found := _UNWRITABLE.search(text):
        raise InvalidTarget(
            text,
            f"it has {found.group()!r} at position {found.start()}; spaces, control "
            "characters and backslashes must be left out or percent-encoded",
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
    return f"[{address.compressed}]"


def parse_host(text: str) -> str:
    """An IPv4 address, or a name in ASCII, of what a person wrote.

    Raises ValueError with a clause that says what is wrong with the host.
    """
    malformed = "its host is not a valid domain name, as www.example.com is"
    try:
        # Both directions: yarl encodes what it could not read back.
        encoded = URL.build(scheme="http", host=text)
        name = encoded.raw_host if encoded.host else None
    except ValueError:
        name = None
    if name is None:
        raise ValueError(malformed)
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # Judged as it was written: 127。0。0。1 and １２７.0.0.1 become addresses only
        # through normalisation, and nobody honest writes them so.
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
