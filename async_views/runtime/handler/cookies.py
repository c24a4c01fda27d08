"""Parsing a request's cookies in linear time.

Django unquotes a value with Python's `http.cookies._unquote`, which before Python 3.11.10
and 3.12.6 takes quadratic time (CVE-2024-7592): 15 s for the 64 KiB of header fields that
the server accepts.
"""

import re

ESCAPED = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)


def parse_cookies(header: str) -> dict[str, str]:
    """As `django.http.parse_cookie`: the names and values of a Cookie field."""
    found = {}
    for pair in header.split(";"):
        # A browser sends a cookie without a name as its value alone:
        # https://bugzilla.mozilla.org/show_bug.cgi?id=169091
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", pair
        name, value = name.strip(), value.strip()
        if name or value:
            found[name] = unquoted(value)
    return found


def unquoted(value: str) -> str:
    """The content of a quoted string, without its escapes; other values are unchanged."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return ESCAPED.sub(unescaped, value[1:-1])


def unescaped(found: re.Match[str]) -> str:
    octal, character = found.groups()
    return chr(int(octal, 8)) if octal else str(character)
