"""How often may somebody ask, whichever worker they reach?

Each worker counts by itself, in memory, and that is all a request costs. About each
second it publishes its counts, absolute numbers, to a table that all share, and reads
what the others counted. So a request waits for no database, and when that is away each
worker goes on with what it knows. The price: a limit can be exceeded by what somebody
sends through several workers within one such interval, and by what is too little to be
published (see `SMALLEST_PUBLISHED`).

Time is cut in windows that begin at the same moment for all, by the clocks of their
machines. Who uses up one window at its end and the next at its beginning has had twice
the limit; over any longer time, it holds.
"""

import asyncio
import ipaddress
import logging
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import nlargest

import psycopg
from django.conf import settings
from django.http import HttpRequest

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.handler.header_fields import Field, HeaderFields
from async_views.runtime.postgres.database import Connection, Pool

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
MOST_SUBJECTS = 10_000
# Of a limit: who asked less often is of no interest to other workers. Most visitors are
# such, and cost the database nothing.
SMALLEST_PUBLISHED = 0.01

# One round trip: this worker's counts out, the sums of all others' in.
EXCHANGE = """
WITH published AS (
    INSERT INTO rate_limit_count (policy, ends, subject, worker, count)
    SELECT %(policy)s, to_timestamp(%(ends)s), subject, %(worker)s, count
    FROM unnest(%(changed)s::text[], %(counts)s::integer[]) AS own (subject, count)
    ON CONFLICT (ends, policy, subject, worker) DO UPDATE SET count = excluded.count
)
SELECT subject, sum(count)::bigint FROM rate_limit_count
WHERE policy = %(policy)s AND ends = to_timestamp(%(ends)s)
    AND subject = ANY (%(subjects)s) AND worker <> %(worker)s
GROUP BY subject
"""
# Whichever worker comes first; none waits for another's.
EXPIRE = """
DELETE FROM rate_limit_count WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM rate_limit_count WHERE ends < now() FOR UPDATE SKIP LOCKED
))
"""
EXPIRE_EVERY_SECONDS = 60


@dataclass(frozen=True)
class Policy:
    """How many requests of one kind somebody may make in a window of so many seconds.

    The name says which requests are counted together.
    """

    name: str
    limit: int
    seconds: int

    @cached_property
    def field(self) -> Field:
        """As in `Standing.fields`: the same for everybody."""
        return Field(
            "RateLimit-Policy", f'"{self.name}";q={self.limit};w={self.seconds}'
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What a subject has left of a policy, and in how many seconds all of it is back."""

    policy: Policy
    remaining: int
    reset_seconds: int

    def fields(self) -> HeaderFields:
        """As draft-ietf-httpapi-ratelimit-headers-10 says it: a draft, not an RFC.

        https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
        """
        standing = f'"{self.policy.name}";r={self.remaining};t={self.reset_seconds}'
        return {
            "ratelimit-policy": self.policy.field,
            "ratelimit": ("RateLimit", standing),
        }


class Window:
    """Who asked how often, from one moment to another."""

    def __init__(self, policy: Policy, now: float) -> None:
        self.policy = policy
        # Unix time, and the same for all workers.
        self.ends = (math.floor(now / policy.seconds) + 1) * policy.seconds
        self.own: dict[str, int] = {}
        self.others: dict[str, int] = {}
        self.published: dict[str, int] = {}

    def make_room(self, most_subjects: int) -> None:
        """Keeps the busier half of the subjects.

        The others are counted from one again, to their advantage. That way many who
        ask a little cannot push out one who asks a lot.
        """
        # As a list at once: under WSGI other threads count meanwhile.
        counts = list(self.own.items())
        self.own = dict(
            nlargest(most_subjects // 2, counts, key=lambda count: count[1])
        )
        kept = self.own.keys() & self.published.keys()
        self.published = {subject: self.published[subject] for subject in kept}

    def to_publish(self) -> dict[str, int]:
        """What others should know, and have not been told yet."""
        smallest = self.policy.limit * SMALLEST_PUBLISHED
        return {
            subject: count
            for subject, count in self.own.items()
            if count >= smallest and self.published.get(subject) != count
        }


class RateLimits:
    """The counts of one worker, and what it knows of the others'.

    ``now`` answers the Unix time in seconds.
    """

    def __init__(
        self,
        most_subjects: int = MOST_SUBJECTS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.worker = uuid.uuid4()
        self.most_subjects = most_subjects
        self.now = now
        self.windows: dict[str, Window] = {}
        self.expired_at = 0.0

    def take(self, subject: str, policy: Policy) -> Standing:
        """Counts one request; raises Problem 429, uncounted, where none is left.

        The subject is whoever asks, in words such as "address 192.0.2.7".
        """
        now = self.now()
        window = self.windows.get(policy.name)
        if window is None or now >= window.ends:
            window = self.windows[policy.name] = Window(policy, now)
        count = window.own.get(subject, 0)
        remaining = policy.limit - count - window.others.get(subject, 0)
        reset_seconds = math.ceil(window.ends - now)
        if remaining <= 0:
            raise refusal(subject, Standing(policy, 0, reset_seconds))
        if not count and len(window.own) >= self.most_subjects:
            window.make_room(self.most_subjects)
        window.own[subject] = count + 1
        return Standing(policy, remaining - 1, reset_seconds)

    async def exchange(self, database: Connection) -> None:
        """Publishes what was counted here, and reads what others counted."""
        for window in list(self.windows.values()):
            if window.ends > self.now() and window.own:
                await self.exchange_window(window, database)
        if self.now() >= self.expired_at + EXPIRE_EVERY_SECONDS:
            # Of workers that have died as well: nobody else would.
            await database.execute(EXPIRE)
            self.expired_at = self.now()

    async def exchange_window(self, window: Window, database: Connection) -> None:
        changed = window.to_publish()
        answer = await database.execute(
            EXCHANGE,
            {
                "policy": window.policy.name,
                "ends": window.ends,
                "worker": self.worker,
                "changed": list(changed),
                "counts": list(changed.values()),
                "subjects": list(window.own),
            },
        )
        window.others = dict(await answer.fetchall())
        window.published |= changed

    async def keep_exchanging(self, pool: Pool, interval_seconds: float) -> None:
        """Until cancelled; says once that it cannot, and once that it can again."""
        failing = False
        while True:
            try:
                # Not longer, however long the database takes to say nothing.
                async with (
                    asyncio.timeout(settings.DATABASE_SECONDS),
                    pool.connection() as database,
                ):
                    await self.exchange(database)
            except (psycopg.Error, TimeoutError) as error:
                if not failing:
                    logger.warning(
                        "Each worker limits by its own counts alone, as they cannot be "
                        "exchanged: %s: %s",
                        type(error).__name__,
                        " ".join(str(error).split()),
                    )
                failing = True
            else:
                if failing:
                    logger.warning("All workers limit by their common counts again.")
                failing = False
            await asyncio.sleep(interval_seconds)


@asynccontextmanager
async def shared(
    pool: Pool, interval_seconds: float = INTERVAL_SECONDS
) -> AsyncIterator[RateLimits]:
    """The worker's limits, for its lifespan, common with all that use the same database."""
    limits = RateLimits()
    exchanging = asyncio.create_task(limits.keep_exchanging(pool, interval_seconds))
    try:
        yield limits
    finally:
        exchanging.cancel()
        with suppress(asyncio.CancelledError):
            await exchanging


# Where there is no lifespan (WSGI, the test client), a process limits for itself.
of_this_process = RateLimits()


def limits_of(request: HttpRequest) -> RateLimits:
    """The limits of the worker that answers the request."""
    limits: RateLimits = (
        getattr(request, "scope", {}).get("state", {}).get("rate_limits")
        or of_this_process
    )
    return limits


def address_subject(request: HttpRequest) -> str:
    """Who asks, as far as their address says it."""
    return subject_of_address(request.META.get("REMOTE_ADDR", ""))


@lru_cache(MOST_SUBJECTS)
def subject_of_address(address: str) -> str:
    """An IPv4 address by itself; of IPv6 its /64, of which one customer has them all.

    What is no address, as a proxy may pass it on or a socket of this machine may have,
    is all one subject.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "address unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"address {ipaddress.IPv6Network((int(parsed), 64), strict=False)}"
        parsed = parsed.ipv4_mapped
    return f"address {parsed}"


def refusal(subject: str, standing: Standing) -> Problem:
    policy = standing.policy
    return Problem(
        429,
        f"The {subject} has used up its {policy.limit} {policy.name} in {policy.seconds} "
        f"seconds. Try again in {standing.reset_seconds} seconds.",
        headers={
            "Retry-After": str(standing.reset_seconds),
            **dict(standing.fields().values()),
        },
    )
