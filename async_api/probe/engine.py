"""The probe's engine: N workers send the requests and time them by one clock.

Each of `concurrency` workers takes the next request as soon as its last one has ended, so
no time includes waiting for a worker. A time begins when a worker takes the request and
ends with the last byte of the body. It includes connecting, redirects and reading, but not
the lookup of the target's name, which is done once, before the first request.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing, suppress

import aiohttp
from aiohttp.abc import AbstractResolver

from async_api.outbound.failures import Failure, FailureKind
from async_api.outbound.guard import Guard
from async_api.outbound.private_targets import PrivateTargets
from async_api.outbound.targets import redirected
from async_api.probe.measurement import Sample, summarize, verdict
from async_api.probe.nearness import NOWHERE, Here
from async_api.probe.spec import Probe, ProbeSpec
from async_api.probe.wire.connect_failures import failure_of
from async_api.probe.wire.connection import ProbeClient, RequestFailed, probe_client
from async_api.probe.wire.limits import Limits
from async_views.runtime.waiting.deadline import Deadline
from async_views.runtime.waiting.loop_lag import LoopLag

REDIRECTS = frozenset({301, 302, 303, 307, 308})
STATUSES = range(100, 600)  # RFC 9110, section 15
# Workers started in one turn of the loop: each connection takes up to a millisecond to
# begin.
MAX_STARTED_AT_ONCE = 10
REFUSAL = (
    "{subject} may not be probed: only public internet addresses may, and the networks and "
    "host names listed in PROBE_PRIVATE_TARGETS."
)


async def probe(
    spec: ProbeSpec,
    limits: Limits,
    private: PrivateTargets,
    *,
    here: Here = NOWHERE,
    resolver: AbstractResolver | None = None,
    on_sample: Callable[[Sample], None] | None = None,
) -> Probe:
    """Runs a probe. Cancelling it cancels every request under way.

    Raises TargetRefused when this site may not probe the target. Anything else that goes
    wrong with a request makes it a failed sample.
    """
    own_resolver = resolver or aiohttp.ThreadedResolver()
    guard = Guard(private, own_resolver, REFUSAL)
    try:
        budget_ends = time.perf_counter_ns() + int(limits.budget_seconds * 1e9)
        await admit(spec, limits, guard)
        async with probe_client(
            guard, spec.concurrency, limits.of_a_response
        ) as client:
            workers = WorkerPool(spec, limits, client, on_sample)
            busy_before = time.thread_time_ns()
            began = time.perf_counter_ns()
            with LoopLag() as loop_lag:
                await workers.run(began, budget_ends)
            wall_ns = time.perf_counter_ns() - began
            busy = (time.thread_time_ns() - busy_before) / max(wall_ns, 1)
    finally:
        await guard.resolver.close()
        if resolver is None:
            await own_resolver.close()
    samples = tuple(workers.samples)
    summary = summarize(
        samples,
        spec.requests,
        wall_ns // 1000,
        reconnects=client.reconnects,
        strays=client.strays,
    )
    # A response that waits to be read is delayed as by a late loop.
    lag = max(round(loop_lag.worst * 1e6), client.pace.longest_wait // 1000)
    return Probe(
        spec,
        samples,
        summary,
        verdict(
            summary,
            busy=busy,
            lag=lag,
            nearness=here.nearness(guard.dialled, workers.origins),
        ),
    )


async def admit(spec: ProbeSpec, limits: Limits, guard: Guard) -> None:
    """Looks the target's name up once; raises TargetRefused when it may not be dialled.

    The requests report a lookup that takes longer than a request may.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(min(spec.timeout_seconds, limits.budget_seconds)):
            await guard.admit(spec.target)


class TooManyRedirects(Exception):
    """The target redirected more often than the limit allows."""


class WorkerPool:
    """The workers of one probe, which share its requests and collect its samples."""

    def __init__(
        self,
        spec: ProbeSpec,
        limits: Limits,
        client: ProbeClient,
        on_sample: Callable[[Sample], None] | None,
    ) -> None:
        self.spec = spec
        self.limits = limits
        self.client = client
        self.on_sample = on_sample
        self.samples: list[Sample] = []
        self.begun = 0
        self.origins = {spec.target.origin}

    async def run(self, began: int, budget_ends: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(min(self.spec.concurrency, self.spec.requests)):
                tasks.create_task(self.work(began, budget_ends))
                if number % MAX_STARTED_AT_ONCE == MAX_STARTED_AT_ONCE - 1:
                    await asyncio.sleep(0)

    async def work(self, began: int, budget_ends: int) -> None:
        with closing(Deadline()) as deadline:
            while True:
                if self.begun < self.spec.requests:
                    await self.client.settle()
                started = time.perf_counter_ns()
                # Other workers may have taken the last requests during the wait.
                if self.begun == self.spec.requests or started >= budget_ends:
                    return
                self.begun += 1
                budget_seconds = (budget_ends - started) / 1e9
                sample = await self.send(began, started, budget_seconds, deadline)
                self.samples.append(sample)
                if self.on_sample:
                    self.on_sample(sample)

    async def send(
        self, began: int, started: int, budget_seconds: float, deadline: Deadline
    ) -> Sample:
        """One request with its redirects, up to its last byte or its failure."""
        redirects = 0
        received = None
        failure = None
        try:
            with deadline.within(min(self.spec.timeout_seconds, budget_seconds)):
                method, target = self.spec.method, self.spec.target
                while True:
                    received = await self.client.exchange(method, target)
                    if received.status not in REDIRECTS or not received.location:
                        break
                    if redirects == self.limits.redirects:
                        raise TooManyRedirects
                    target = redirected(target, received.location)
                    self.origins.add(target.origin)
                    redirects += 1
                    if received.status == 303 and method != "HEAD":
                        method = "GET"  # RFC 9110, section 15.4.4
            if received.status not in STATUSES:
                failure = Failure(
                    FailureKind.INVALID_RESPONSE,
                    f"{received.status:03} is not an HTTP status: those are 100 to 599.",
                )
        except TimeoutError:
            failure = self.out_of_time(budget_seconds)
        except RequestFailed as error:
            failure = error.failure
        except TooManyRedirects:
            failure = Failure(
                FailureKind.TOO_MANY_REDIRECTS,
                f"The target redirected more than {self.limits.redirects} times.",
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = failure_of(error, target)
        ended = time.perf_counter_ns()
        start, spent = (started - began) // 1000, (ended - started) // 1000
        if failure:
            return Sample(
                start,
                spent,
                redirects=redirects,
                kind=failure.kind,
                message=failure.message,
            )
        assert received is not None
        return Sample(start, spent, received.status, received.body_length, redirects)

    def out_of_time(self, budget_seconds: float) -> Failure:
        if budget_seconds < self.spec.timeout_seconds:
            return Failure(
                FailureKind.TIMEOUT,
                f"The probe's time budget of {self.limits.budget_seconds:g} s ran out.",
            )
        return Failure(
            FailureKind.TIMEOUT,
            f"No complete response within {self.spec.timeout_seconds:g} s.",
        )
