"""What TLS is asked for, and what became of it."""

import re
import ssl
from datetime import UTC, datetime

_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
# Not strptime, whose first call takes milliseconds, between a connection and its request.
_DATE = re.compile(r"([0-9]{4})" + r"([0-9]{2})" * 5 + "Z")


def tls_context(*, insecure: bool, ca_file: str) -> ssl.SSLContext:
    """The settings for every connection of a run; raises OSError for the file."""
    context = ssl.create_default_context(cafile=ca_file or None)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def certificate_expiry(certificate: bytes) -> int | None:
    """When a certificate in DER expires, in seconds since 1970; None if unreadable.

    The ssl module parses only certificates that it verified. `notAfter` is the second
    member of the validity, the fifth of the certificate's body (RFC 5280, section 4.1).
    """
    try:
        _, body = _members(_members(certificate)[0][1])[0]
        fields = _members(body)
        if fields[0][0] == 0xA0:  # the version, which has a default
            fields = fields[1:]
        tag, value = _members(fields[3][1])[1]
        text = value.decode("ascii")
        if tag == _UTC_TIME:
            # Two digits stand for 1950 to 2049 (section 4.1.2.5.1).
            text = ("19" if text >= "50" else "20") + text
        elif tag != _GENERALIZED_TIME:
            return None
        digits = _DATE.fullmatch(text)
        if digits is None:
            return None
        year, month, day, hour, minute, second = map(int, digits.groups())
        when = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (IndexError, ValueError):
        return None
    return int(when.timestamp())


def _members(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and values of the DER elements in a row (X.690, section 8.1)."""
    found = []
    position = 0
    while position < len(data):
        tag, size = data[position], data[position + 1]
        position += 2
        if size & 0x80:
            digits = size & 0x7F
            size = int.from_bytes(data[position : position + digits], "big")
            position += digits
        if position + size > len(data):
            raise ValueError("the element is incomplete")
        found.append((tag, data[position : position + size]))
        position += size
    return found
