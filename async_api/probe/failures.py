"""Why did a request fail? From the client library's exceptions to a kind and a sentence."""

import os
import ssl
from dataclasses import dataclass

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from async_api.probe.guard import TargetRefused
from async_api.probe.measurement import FailureKind
from async_api.probe.targets import InvalidTarget


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind to count by, and a sentence that helps."""

    kind: FailureKind
    message: str


def failure_of(error: Exception) -> Failure:
    """What to report for anything that a request may raise, timeouts apart."""
    refusal = refusal_in(error)
    if refusal is not None:
        return Failure(FailureKind.REFUSED, str(refusal))
    if isinstance(error, InvalidTarget):
        return Failure(
            FailureKind.REFUSED, f"It redirected to where no probe goes. {error}"
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Failure(
            FailureKind.DNS, f"The name {error.host} could not be looked up."
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Failure(
            FailureKind.TLS,
            f"The certificate of {error.host} does not prove who it is: "
            f"{certificate_reason(error.certificate_error)}.",
        )
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Failure(
            FailureKind.TLS,
            "No TLS connection could be agreed on. Does the target speak https on this port?",
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(
            FailureKind.CONNECT,
            f"No connection to {error.host} port {error.port}: {reason(error.os_error)}.",
        )
    if isinstance(error, aiohttp.ClientPayloadError):
        return payload_failure(error)
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        first_line = (error.message.splitlines() or ["not HTTP"])[0]
        return Failure(
            FailureKind.INVALID_RESPONSE,
            f"The answer is not valid HTTP: {first_line.rstrip(':.')}.",
        )
    if isinstance(error, OSError | aiohttp.ClientConnectionError):
        return Failure(
            FailureKind.DISCONNECTED,
            "The target closed the connection before its answer was complete.",
        )
    return Failure(
        FailureKind.INVALID_RESPONSE, f"The answer could not be understood: {error}."
    )


def refusal_in(error: BaseException | None) -> TargetRefused | None:
    """The guard's own word, which the connector wraps in its errors."""
    while error is not None:
        if isinstance(error, TargetRefused):
            return error
        inner = getattr(error, "os_error", None)
        error = inner if inner is not None and inner is not error else error.__cause__
    return None


def payload_failure(error: aiohttp.ClientPayloadError) -> Failure:
    """A body that ended early is a broken connection; one that is garbled is not HTTP."""
    cause = error.__cause__
    if isinstance(cause, HttpProcessingError) and not cause.message.startswith(
        # What aiohttp's parser says of both framings when the connection ends.
        "Not enough data"
    ):
        return Failure(
            FailureKind.INVALID_RESPONSE,
            f"The body is not valid HTTP: {type(cause).__name__}.",
        )
    return Failure(
        FailureKind.DISCONNECTED, "The connection ended in the middle of the body."
    )


def reason(error: OSError) -> str:
    """The system's own words: asyncio's would name the address dialled."""
    if error.errno:
        return os.strerror(error.errno).lower()
    return type(error).__name__


def certificate_reason(error: Exception) -> str:
    return getattr(error, "verify_message", "") or type(error).__name__
