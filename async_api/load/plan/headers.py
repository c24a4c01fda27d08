"""Header fields of a request: which are valid, which are refused, and which are secret."""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace

from async_api.load.plan.plan import Header, Plan

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
# RFC 9110, section 5.5. The tab is the only control character of a field value.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

SECRET = {"authorization", "cookie", "proxy-authorization"}
HIDDEN = "(secret)"
# The generator frames each request, and decides when its connection ends.
REFUSED = {
    "content-length": "is set from the body",
    "transfer-encoding": "is not sent, because the length of every body is known",
    "connection": "is set by the conditions; use keep_alive",
    "upgrade": "is not sent, because the generator speaks HTTP/1.1 only",
    "expect": "is not sent, because the body follows the header without waiting",
}


def valid_method(method: str) -> str:
    """A method that can be sent (RFC 9110, section 9.1); raises ValueError."""
    if not TOKEN.fullmatch(method):
        raise ValueError(
            "must be a method such as GET or POST, without spaces and separators"
        )
    if method.upper() == "CONNECT":
        raise ValueError("is not supported, because it asks a proxy for a tunnel")
    return method


def valid_name(name: str) -> str:
    """A name that a plan can set; raises ValueError."""
    if not TOKEN.fullmatch(name):
        raise ValueError(
            "must be a field name: letters, digits and !#$%&'*+-.^_`|~, without spaces "
            "and without the colon"
        )
    if reason := REFUSED.get(name.lower()):
        raise ValueError(f"{reason}; remove this header")
    return name


def valid_value(value: str) -> str:
    """A value without the white space around it, which is not part of it; raises ValueError."""
    return without_controls(value).strip(" \t")


def without_controls(text: str) -> str:
    """The text; raises ValueError if it has control characters other than tabs."""
    if found := _CONTROL.search(text):
        raise ValueError(
            f"has the control character {found.group()!r} at position {found.start()}; "
            "it must be one line of text"
        )
    return text


def is_secret(name: str) -> bool:
    """Whether a header is secret where the plan does not say."""
    return name.lower() in SECRET


def has(headers: Iterable[Header], name: str) -> bool:
    return any(header.name.lower() == name.lower() for header in headers)


def bearer(token: str) -> Header:
    """RFC 6750, section 2.1."""
    return Header("Authorization", f"Bearer {token}", secret=True)


def basic(user: str, password: str) -> Header:
    """RFC 7617, section 2, in UTF-8."""
    credentials = b64encode(f"{user}:{password}".encode()).decode()
    return Header("Authorization", f"Basic {credentials}", secret=True)


def without_secrets(plan: Plan) -> Plan:
    """The plan as it may be shown: the values of secret headers are replaced."""
    return replace(
        plan,
        requests=tuple(
            replace(
                request,
                headers=tuple(
                    replace(header, value=HIDDEN) if header.secret else header
                    for header in request.headers
                ),
            )
            for request in plan.requests
        ),
    )
