"""URLs as curl accepts them: without a scheme, with credentials, and with escaped globs."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

OTHER_SCHEMES = ("dict.", "ftp.", "imap.", "ldap.", "pop3.", "smtp.")

_START = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?:(?P<credentials>[^/?#]*)@)?", re.IGNORECASE
)
_GLOB = re.compile(r"(?<!\\)[{}\[\]]")
_IPV6 = re.compile(r"^[^/]*//(\[[0-9a-fA-F:.]+\])")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL without credentials, and the credentials that it had."""

    url: str
    user: str | None = None
    password: str = ""


def read_address(text: str, *, globs: bool, as_is: bool) -> Address:
    """Raises ValueError for a URL that stands for several, or is not of HTTP.

    `globs` says whether brackets and braces have a meaning, and `as_is` whether dot
    segments are kept.
    """
    start = _START.match(text)
    assert start is not None  # all of it is optional
    rest = text[start.end() :]
    if start["scheme"] is None and rest.lower().startswith(OTHER_SCHEMES):
        raise ValueError(
            "has a host name from which curl takes another protocol; start it with "
            "http:// or https://"
        )
    url = (start["scheme"] or "http://") + rest
    if globs:
        host = _IPV6.match(url)
        literal = host.end() if host else 0
        if _GLOB.search(url, literal):
            raise ValueError(
                "has brackets or braces, of which curl makes several URLs; put a "
                "backslash before each, or use --globoff"
            )
        url = url[:literal] + re.sub(r"\\([{}\[\]])", r"\1", url[literal:])
    if as_is and re.search(r"/\.\.?(/|$)", url.partition("?")[0].partition("#")[0]):
        raise ValueError("has dot segments, which are always resolved; remove them")
    if start["credentials"] is None:
        return Address(url)
    user, _, password = start["credentials"].partition(":")
    return Address(url, unquote(user), unquote(password))


def with_query(url: str, data: str) -> str:
    """The URL with more of a query, as the option ``--get`` makes it."""
    url, _, _ = url.partition("#")
    scheme, _, rest = url.partition("://")
    if "/" not in rest and "?" not in rest:
        url += "/"
    return f"{url}{'&' if '?' in url else '?'}{data}"
