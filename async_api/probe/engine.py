"""How is a URL probed? N workers, one clock, nothing hidden.

Each of `concurrency` workers takes the next request as soon as it has finished its last,
so that waiting for a worker is no part of any time. A time begins when a worker takes the
request and ends with the last body byte: connecting, redirects and reading are in it,
looking up the target's name is not (that is done once, before the first request).
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver

from async_api.outbound.failures import Failure, FailureKind
from async_api.outbound.guard import Guard
from async_api.outbound.private_targets import PrivateTargets
from async_api.outbound.targets import Target, redirected
from async_api.probe.measurement import Sample, Summary, Verdict, summarize, verdict
from async_api.probe.nearness import NOWHERE, Here
from async_api.probe.wire.connect_failures import failure_of
from async_api.probe.wire.connection import ProbeClient, RequestFailed, probe_client
from async_api.probe.wire.limits import Limits
from async_views.runtime.waiting.deadline import Deadline
from async_views.runtime.waiting.loop_lag import LoopLag

REDIRECTS = frozenset({301, 302, 303, 307, 308})
STATUSES = range(100, 600)  # RFC 9110, section 15
METHODS = ("GET", "HEAD", "OPTIONS")
# In one turn of the loop: to begin a connection takes it up to a millisecond.
STARTED_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: `requests` requests to `target`, `concurrency` at a time."""

    target: Target
    requests: int
    concurrency: int
    timeout_seconds: float
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Probe:
    """One run: what was asked, what came of each request, and what it says."""

    question: Question
    samples: tuple[Sample, ...]
    summary: Summary
    verdict: Verdict


async def probe(
    question: Question,
    limits: Limits,
    private: PrivateTargets,
    *,
    here: Here = NOWHERE,
    resolver: AbstractResolver | None = None,
    on_sample: Callable[[Sample], None] | None = None,
) -> Probe:
    """Runs a probe; cancelling it cancels every request that is on its way.

    Raises TargetRefused when the target is one that this site may not probe. Whatever
    else goes wrong with a request is a sample that failed.
    """
    own_resolver = resolver or aiohttp.ThreadedResolver()
    guard = Guard(private, own_resolver)
    try:
        budget_ends = time.perf_counter_ns() + int(limits.budget_seconds * 1e9)
        await admit(question, limits, guard)
        async with probe_client(
            guard, question.concurrency, limits.of_a_response
        ) as client:
            run = Run(question, limits, client, on_sample)
            busy_before = time.thread_time_ns()
            began = time.perf_counter_ns()
            with LoopLag() as loop_lag:
                await run.all(began, budget_ends)
            wall_ns = time.perf_counter_ns() - began
            busy = (time.thread_time_ns() - busy_before) / max(wall_ns, 1)
    finally:
        await guard.resolver.close()
        if resolver is None:
            await own_resolver.close()
    samples = tuple(run.samples)
    summary = summarize(
        samples,
        question.requests,
        wall_ns // 1000,
        reconnects=client.reconnects,
        strays=client.strays,
    )
    # An answer that waits for its turn to be read waits as one does for the loop.
    lag = max(round(loop_lag.worst * 1e6), client.pace.longest_wait // 1000)
    return Probe(
        question,
        samples,
        summary,
        verdict(
            summary,
            busy=busy,
            lag=lag,
            nearness=here.nearness(guard.dialled, run.origins),
        ),
    )


async def admit(question: Question, limits: Limits, guard: Guard) -> None:
    """Looks the target's name up, once, and raises TargetRefused where it may not go.

    A lookup that takes as long as a request may is left for the requests to report.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(
            min(question.timeout_seconds, limits.budget_seconds)
        ):
            await guard.admit(question.target)


class TooManyRedirects(Exception):
    """The target redirected once more than may be followed."""


class Run:
    """The requests of one probe under way: which is next, and what came of the others."""

    def __init__(
        self,
        question: Question,
        limits: Limits,
        client: ProbeClient,
        on_sample: Callable[[Sample], None] | None,
    ) -> None:
        self.question = question
        self.limits = limits
        self.client = client
        self.on_sample = on_sample
        self.samples: list[Sample] = []
        self.taken = 0
        self.origins = {question.target.origin}

    async def all(self, began: int, budget_ends: int) -> None:
        async with asyncio.TaskGroup() as workers:
            for number in range(min(self.question.concurrency, self.question.requests)):
                workers.create_task(self.work(began, budget_ends))
                if number % STARTED_AT_ONCE == STARTED_AT_ONCE - 1:
                    await asyncio.sleep(0)

    async def work(self, began: int, budget_ends: int) -> None:
        with closing(Deadline()) as deadline:
            while True:
                if self.taken < self.question.requests:
                    await self.client.settle()
                started = time.perf_counter_ns()
                # After the wait, in which other workers may have taken the last ones.
                if self.taken == self.question.requests or started >= budget_ends:
                    return
                self.taken += 1
                budget_seconds = (budget_ends - started) / 1e9
                sample = await self.ask(began, started, budget_seconds, deadline)
                self.samples.append(sample)
                if self.on_sample:
                    self.on_sample(sample)

    async def ask(
        self, began: int, started: int, budget_seconds: float, deadline: Deadline
    ) -> Sample:
        """One request, from taking it to its last byte or its failure."""
        redirects = 0
        received = None
        failure = None
        try:
            with deadline.within(min(self.question.timeout_seconds, budget_seconds)):
                method, target = self.question.method, self.question.target
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
        if budget_seconds < self.question.timeout_seconds:
            return Failure(
                FailureKind.TIMEOUT,
                f"The probe's time budget of {self.limits.budget_seconds:g} s ran out.",
            )
        return Failure(
            FailureKind.TIMEOUT,
            f"No complete answer within {self.question.timeout_seconds:g} s.",
        )
