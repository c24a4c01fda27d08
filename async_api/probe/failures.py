"""Failures of connecting: from aiohttp's exceptions to a kind and a sentence."""

import logging
import os
import ssl
from dataclasses import dataclass

import aiohttp

from async_api.probe.guard import TargetRefused
from async_api.probe.measurement import FailureKind
from async_api.probe.targets import InvalidTarget, Target

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind to count by, and a sentence that helps."""

    kind: FailureKind
    message: str


def failure_of(error: Exception, target: Target) -> Failure:
    """What to report for anything that a request to ``target`` may raise.

    Timeouts and what goes wrong on an open connection are not among it.
    """
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
    if isinstance(error, aiohttp.ClientConnectorError) and is_handshake(error, target):
        return Failure(
            FailureKind.TLS,
            f"{target.host} ended the connection during the TLS handshake. Does it speak "
            "https on this port?",
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(
            FailureKind.CONNECT,
            f"No connection to {error.host} port {error.port}: {reason(error.os_error)}.",
        )
    if isinstance(error, OSError | aiohttp.ClientConnectionError):
        return Failure(
            FailureKind.DISCONNECTED,
            "The target closed the connection before its answer was complete.",
        )
    logger.warning("a request of a probe failed unexpectedly: %r", error)
    return Failure(FailureKind.CONNECT, "The request could not be sent.")


def refusal_in(error: BaseException | None) -> TargetRefused | None:
    """The guard's own word, which the connector wraps in its errors."""
    while error is not None:
        if isinstance(error, TargetRefused):
            return error
        inner = getattr(error, "os_error", None)
        error = inner if inner is not None and inner is not error else error.__cause__
    return None


def is_handshake(error: aiohttp.ClientConnectorError, target: Target) -> bool:
    """Whether the TCP connection stood, and TLS did not come about.

    A connection attempt is refused or times out; only one that stands is reset.
    """
    return target.scheme == "https" and (
        isinstance(
            error.os_error,
            ConnectionResetError | ConnectionAbortedError | BrokenPipeError,
        )
        or not error.os_error.errno
    )


def reason(error: OSError) -> str:
    """The system's own words: asyncio's would name the address dialled."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    return "the system gives no reason"


def certificate_reason(error: Exception) -> str:
    return getattr(error, "verify_message", "") or "it is for another name"
