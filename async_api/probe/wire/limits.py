"""Limits of a probe, which hold whatever its target does."""

from dataclasses import dataclass

from django.conf import settings

from async_api.probe.wire.framing import ResponseLimits

MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one response, the redirects of one request, and the time of a probe."""

    body_bytes: int
    redirects: int
    budget_seconds: float
    header_bytes: int = 64 * 1024  # of one field
    header_fields: int = 256

    @property
    def of_a_response(self) -> ResponseLimits:
        return ResponseLimits(self.body_bytes, self.header_bytes, self.header_fields)


def configured_limits() -> Limits:
    return Limits(
        body_bytes=settings.PROBE_BODY_BYTES,
        redirects=MAX_REDIRECTS,
        budget_seconds=settings.PROBE_BUDGET_SECONDS,
        header_bytes=settings.PROBE_HEADER_BYTES,
        header_fields=settings.PROBE_HEADER_FIELDS,
    )
