"""The specification of a probe, and its result. Imports no HTTP client."""

from dataclasses import dataclass

from async_api.outbound.targets import Target
from async_api.probe.measurement import Sample, Summary, Verdict

METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """What a probe sends: `requests` requests to `target`, `concurrency` at a time."""

    target: Target
    requests: int
    concurrency: int
    timeout_seconds: float
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Probe:
    """A finished probe: its spec, a sample of each request, their summary and verdict."""

    spec: ProbeSpec
    samples: tuple[Sample, ...]
    summary: Summary
    verdict: Verdict
