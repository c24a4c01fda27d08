"""What may a probe take, whatever its target does?"""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of one body, redirects of one request, seconds of a whole probe."""

    body_bytes: int
    redirects: int
    budget_seconds: float


def configured_limits() -> Limits:
    return Limits(
        body_bytes=settings.PROBE_BODY_BYTES,
        redirects=settings.PROBE_MAX_REDIRECTS,
        budget_seconds=settings.PROBE_BUDGET_SECONDS,
    )
