"""Kinds of failed requests, and the words for their causes."""

import os
from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """Why a request has no response."""

    REFUSED = "refused"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    INVALID_RESPONSE = "invalid_response"
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind to count by, and a sentence that explains it."""

    kind: FailureKind
    message: str


def reason(error: OSError) -> str:
    """The system's own words; asyncio's message would reveal the address dialled."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    return "the system gives no reason"


def certificate_reason(error: Exception) -> str:
    return getattr(error, "verify_message", "") or "it is for another name"
