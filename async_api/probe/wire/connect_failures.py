"""Failures to connect: aiohttp's exceptions as kinds and sentences."""

import logging
import ssl

import aiohttp

from async_api.outbound.failures import (
    Failure,
    FailureKind,
    certificate_reason,
    reason,
)
from async_api.outbound.guard import TargetRefused
from async_api.outbound.targets import InvalidTarget, Target

logger = logging.getLogger(__name__)


def failure_of(error: Exception, target: Target) -> Failure:
    """The failure to report for an exception of a request to ``target``.

    Timeouts and failures on an open connection are handled elsewhere.
    """
    refusal = refusal_in(error)
    if refusal is not None:
        return Failure(FailureKind.REFUSED, str(refusal))
    if isinstance(error, InvalidTarget):
        return Failure(
            FailureKind.REFUSED,
            f"It redirected to {error.subject!r}, which cannot be probed: {error.reason}.",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Failure(
            FailureKind.DNS, f"The name {error.host} could not be looked up."
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Failure(
            FailureKind.TLS,
            f"The certificate of {error.host} cannot be trusted: "
            f"{certificate_reason(error.certificate_error)}.",
        )
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Failure(
            FailureKind.TLS,
            "The TLS handshake failed. Does the target use https on this port?",
        )
    if isinstance(error, aiohttp.ClientConnectorError) and is_handshake(error, target):
        return Failure(
            FailureKind.TLS,
            f"{target.host} ended the connection during the TLS handshake. Does it use "
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
            "The target closed the connection before its response was complete.",
        )
    logger.warning("a request of a probe failed unexpectedly: %r", error)
    return Failure(FailureKind.CONNECT, "The request could not be sent.")


def refusal_in(error: BaseException | None) -> TargetRefused | None:
    """The guard's refusal, which the connector wraps in its errors."""
    while error is not None:
        if isinstance(error, TargetRefused):
            return error
        inner = getattr(error, "os_error", None)
        error = inner if inner is not None and inner is not error else error.__cause__
    return None


def is_handshake(error: aiohttp.ClientConnectorError, target: Target) -> bool:
    """Whether the TCP connection was established, and the TLS handshake failed.

    Only an established connection is reset; an attempt is refused or times out.
    """
    return target.scheme == "https" and (
        isinstance(
            error.os_error,
            ConnectionResetError | ConnectionAbortedError | BrokenPipeError,
        )
        or not error.os_error.errno
    )
