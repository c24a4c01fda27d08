"""A run of the probe's engine alone, without the site."""

import uvloop

from async_api.outbound.private_targets import parse_private_targets
from async_api.outbound.targets import parse_target
from async_api.probe.engine import probe
from async_api.probe.spec import ProbeSpec
from async_api.probe.wire.limits import Limits
from benchmarks.clients.run import Run, RunFailed, run_of

LIMITS = Limits(body_bytes=1024**2, redirects=0, budget_seconds=600)


def run_engine(url: str, connections: int, requests: int) -> Run:
    """Raises RunFailed unless every request was answered."""
    spec = ProbeSpec(parse_target(url), requests, connections, timeout_seconds=60)
    private = parse_private_targets(["127.0.0.1"])
    done = uvloop.run(probe(spec, LIMITS, private))
    if done.summary.statuses != {200: requests}:
        raise RunFailed(f"the probe: {done.summary.statuses} {done.summary.failures}")
    return run_of((sample.time for sample in done.samples), done.summary.wall_time)
