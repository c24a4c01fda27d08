"""Is a limit one limit for all workers, and does it cost nobody else anything?"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory, RequestFactory
from psycopg_pool import AsyncConnectionPool
from pytest_django import Settings

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.postgres import database
from async_views.runtime.views import rate_limit
from async_views.runtime.views.rate_limit import (
    Policy,
    RateLimits,
    Standing,
    address_subject,
    limits_of,
    subject_of_address,
)
from tests.support.guest import Guest

SOMEBODY = "address 192.0.2.7"
ELSE = "address 192.0.2.8"


class Clock:
    def __init__(self, now: float = 6_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def policy() -> Policy:
    """Three in an hour; under a name of its own, as the table is common to all tests."""
    return Policy(f"tests {uuid.uuid4()}", 3, 3600)


def is_refused(limits: RateLimits, policy: Policy, subject: str = SOMEBODY) -> bool:
    try:
        limits.take(subject, policy)
    except Problem:
        return True
    return False


def test_each_subject_has_the_whole_limit_and_no_more(policy: Policy) -> None:
    limits = RateLimits()

    standings = [limits.take(SOMEBODY, policy).remaining for _ in range(3)]

    assert standings == [2, 1, 0]
    assert is_refused(limits, policy)
    assert not is_refused(limits, policy, ELSE)


def test_policies_are_counted_apart() -> None:
    limits = RateLimits()
    reads, writes = Policy("reads", 1, 60), Policy("writes", 1, 60)
    limits.take(SOMEBODY, reads)

    assert not is_refused(limits, writes)
    assert is_refused(limits, reads)


def test_a_refusal_says_who_what_and_when_to_come_back() -> None:
    clock = Clock(6_000_010.5)
    limits = RateLimits(now=clock)
    policy = Policy("writes", 1, 60)
    limits.take(SOMEBODY, policy)

    with pytest.raises(Problem) as refusal:
        limits.take(SOMEBODY, policy)

    assert refusal.value.details.status == 429
    assert refusal.value.details.detail == (
        "The address 192.0.2.7 has used up its 1 writes in 60 seconds. "
        "Try again in 50 seconds."
    )
    assert refusal.value.headers == {
        "Retry-After": "50",
        "RateLimit-Policy": '"writes";q=1;w=60',
        "RateLimit": '"writes";r=0;t=50',
    }


def test_an_answer_says_what_is_left() -> None:
    standing = Standing(Policy("reads", 6000, 60), 5999, 34)

    assert dict(standing.fields().values()) == {
        "RateLimit-Policy": '"reads";q=6000;w=60',
        "RateLimit": '"reads";r=5999;t=34',
    }


def test_a_new_window_begins_when_it_was_said_to() -> None:
    clock = Clock()
    limits = RateLimits(now=clock)
    policy = Policy("writes", 1, 60)
    reset_seconds = limits.take(SOMEBODY, policy).reset_seconds

    clock.now += reset_seconds - 0.001
    early = is_refused(limits, policy)
    clock.now += 0.001
    late = is_refused(limits, policy)

    assert (early, late) == (True, False)


def test_who_is_refused_does_not_wait_the_longer_for_it() -> None:
    clock = Clock()
    limits = RateLimits(now=clock)
    policy = Policy("writes", 1, 60)
    for _ in range(10):
        is_refused(limits, policy)

    clock.now += 60

    assert limits.take(SOMEBODY, policy).remaining == 0


def test_a_crowd_takes_bounded_memory_and_pushes_out_nobody_busy(
    policy: Policy,
) -> None:
    limits = RateLimits(most_subjects=100)
    for _ in range(3):
        limits.take(SOMEBODY, policy)

    for number in range(1000):
        limits.take(f"address {number}", policy)
        assert len(limits.windows[policy.name].own) <= 100

    assert is_refused(limits, policy)


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.7", "address 192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address 2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "address 2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "address 2001:db8:1:3::/64"),
        ("fe80::1%eth0", "address fe80::/64"),
        ("::ffff:192.0.2.7", "address 192.0.2.7"),
        ("", "address unknown"),
        ("my house" * 10_000, "address unknown"),
    ],
)
def test_an_address_is_one_customer(address: str, subject: str) -> None:
    assert subject_of_address(address) == subject


def test_the_address_is_the_client_s_as_the_server_says_it() -> None:
    assert (
        address_subject(RequestFactory(REMOTE_ADDR="::1").get("/")) == "address ::/64"
    )
    without = HttpRequest()
    assert address_subject(without) == "address unknown"


def test_requests_find_the_limits_of_their_worker_else_of_their_process() -> None:
    limits = RateLimits()
    under_asgi = AsyncRequestFactory().get("/")
    under_asgi.scope = {**under_asgi.scope, "state": {"rate_limits": limits}}

    assert limits_of(under_asgi) is limits
    assert limits_of(RequestFactory().get("/")) is rate_limit.of_this_process
    assert limits_of(AsyncRequestFactory().get("/")) is rate_limit.of_this_process


# --- Workers that share a database ---


@pytest.fixture
async def connection(transactional_db: None) -> AsyncIterator[database.Connection]:
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as own:
        yield own


async def rows(connection: database.Connection, policy: Policy) -> list[Any]:
    answer = await connection.execute(
        "SELECT worker, subject, count FROM rate_limit_count WHERE policy = %s"
        " ORDER BY count",
        [policy.name],
    )
    return await answer.fetchall()


async def test_what_one_worker_counted_all_know_after_an_exchange(
    connection: database.Connection, policy: Policy
) -> None:
    one, other = RateLimits(), RateLimits()
    one.take(SOMEBODY, policy)
    one.take(SOMEBODY, policy)
    await one.exchange(connection)
    unknowing = other.take(SOMEBODY, policy)

    await other.exchange(connection)

    assert unknowing.remaining == 2
    assert is_refused(other, policy)
    assert not is_refused(other, policy, ELSE)


async def test_counts_are_published_as_they_are_however_often(
    connection: database.Connection, policy: Policy
) -> None:
    one, other = RateLimits(), RateLimits()
    one.take(SOMEBODY, policy)
    other.take(SOMEBODY, policy)

    for _ in range(3):
        await one.exchange(connection)
        await other.exchange(connection)
    last = one.take(SOMEBODY, policy)
    await one.exchange(connection)

    assert last.remaining == 0
    assert [count for _, _, count in await rows(connection, policy)] == [1, 2]


async def test_a_worker_that_was_killed_counts_until_its_window_ends(
    connection: database.Connection, policy: Policy
) -> None:
    killed = RateLimits()
    for _ in range(3):
        killed.take(SOMEBODY, policy)
    await killed.exchange(connection)
    del killed

    successor = RateLimits()
    successor.take(SOMEBODY, policy)
    await successor.exchange(connection)

    assert is_refused(successor, policy)


async def test_rows_of_the_dead_are_gone_after_their_window(
    connection: database.Connection, policy: Policy
) -> None:
    # By the database's clock, the window of this one is long over.
    dead = RateLimits(now=Clock())
    dead.expired_at = 6_000_000.0
    dead.take(SOMEBODY, policy)
    await dead.exchange(connection)
    before = await rows(connection, policy)

    await RateLimits().exchange(connection)

    assert (len(before), await rows(connection, policy)) == (1, [])


async def test_what_others_counted_ends_with_its_window(
    connection: database.Connection, policy: Policy
) -> None:
    # Far in the future, where nothing expires by the database's clock.
    clock = Clock(4_000_000_000.0)
    one, other = RateLimits(now=clock), RateLimits(now=clock)
    one.take(SOMEBODY, policy)
    await one.exchange(connection)

    clock.now += 3600
    other.take(SOMEBODY, policy)
    await other.exchange(connection)

    assert other.take(SOMEBODY, policy).remaining == 1


async def test_a_window_that_has_ended_is_not_published(
    connection: database.Connection, policy: Policy
) -> None:
    clock = Clock(4_000_000_000.0)
    limits = RateLimits(now=clock)
    limits.take(SOMEBODY, policy)

    clock.now += 3600
    await limits.exchange(connection)

    assert await rows(connection, policy) == []


async def test_a_crowd_takes_bounded_memory_when_it_is_published_too(
    connection: database.Connection, policy: Policy
) -> None:
    limits = RateLimits(most_subjects=100)

    for number in range(1000):
        limits.take(f"address {number}", policy)
        if number % 10 == 0:
            await limits.exchange(connection)

    assert len(limits.windows[policy.name].published) <= 100


async def test_who_asks_a_little_costs_the_database_nothing(
    connection: database.Connection,
) -> None:
    policy = Policy(f"tests {uuid.uuid4()}", 200, 3600)
    limits = RateLimits()
    limits.take(ELSE, policy)
    limits.take(SOMEBODY, policy)
    limits.take(SOMEBODY, policy)

    await limits.exchange(connection)

    assert await rows(connection, policy) == [(limits.worker, SOMEBODY, 2)]


async def test_only_what_has_changed_is_published_again(policy: Policy) -> None:
    limits = RateLimits()
    limits.take(SOMEBODY, policy)
    limits.take(ELSE, policy)
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as own:
        await limits.exchange(own)
    limits.take(ELSE, policy)

    assert limits.windows[policy.name].to_publish() == {ELSE: 2}


@asynccontextmanager
async def worker(**parameters: Any) -> AsyncIterator[tuple[RateLimits, database.Pool]]:
    """One with a pool of its own, which exchanges its counts ten times a second."""
    async with (
        AsyncConnectionPool(
            kwargs=database.parameters() | parameters,
            min_size=1,
            timeout=0.2,
            check=AsyncConnectionPool.check_connection,
            reconnect_timeout=0.5,
            open=False,
        ) as pool,
        rate_limit.shared(pool, interval_seconds=0.1) as limits,
    ):
        yield limits, pool


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def is_known(limits: RateLimits, policy: Policy, count: int) -> bool:
    return limits.windows[policy.name].others.get(SOMEBODY) == count


async def test_workers_exchange_by_themselves_while_they_live(
    transactional_db: None, policy: Policy
) -> None:
    async with worker() as (one, _), worker() as (other, _):
        one.take(SOMEBODY, policy)
        one.take(SOMEBODY, policy)
        other.take(SOMEBODY, policy)

        await until(lambda: is_known(other, policy, 2))
        assert is_refused(other, policy)
        await until(lambda: is_known(one, policy, 1))
        assert is_refused(one, policy)


@pytest.fixture
async def guest(connection: database.Connection) -> AsyncIterator[Guest]:
    guest = Guest(connection)
    await guest.execute("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}")
    yield guest
    await guest.execute("DROP ROLE {}")


async def test_without_its_database_a_worker_goes_on_by_itself_and_says_so_once(
    guest: Guest, policy: Policy, caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> list[str]:
        return [r.message for r in caplog.records if r.name == rate_limit.__name__]

    async with worker(**guest.parameters) as (one, pool), worker() as (other, _):
        await guest.throw_out()
        await until(lambda: pool.get_stats().get("requests_errors", 0) > 3)
        for limits in (one, one, other):
            assert not is_refused(limits, policy)
        assert len(said()) == 1
        assert said()[0].startswith(
            "Each worker limits by its own counts alone, as they cannot be exchanged: "
        )

        await guest.let_in()
        await until(lambda: is_known(other, policy, 2))

        assert is_refused(other, policy)
        await until(lambda: len(said()) == 2)
        assert said()[1] == "All workers limit by their common counts again."


async def test_a_database_that_says_nothing_is_away_too(
    connection: database.Connection,
    policy: Policy,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.DATABASE_SECONDS = 0.2

    async with connection.transaction():
        await connection.execute("LOCK TABLE rate_limit_count")
        async with worker() as (limits, _):
            limits.take(SOMEBODY, policy)

            await until(
                lambda: (
                    "TimeoutError" in caplog.text and rate_limit.__name__ in caplog.text
                )
            )

            assert not is_refused(limits, policy)


async def test_a_worker_that_stops_exchanges_no_longer(
    transactional_db: None, policy: Policy
) -> None:
    async with worker():
        pass

    assert [
        task
        for task in asyncio.all_tasks()
        if "keep_exchanging" in repr(task.get_coro())
    ] == []
