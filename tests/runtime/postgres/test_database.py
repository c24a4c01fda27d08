import asyncio
from typing import Any

import django.db
import psycopg
import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory, RequestFactory
from psycopg_pool import PoolTimeout, TooManyRequests
from pytest_django import Settings

from async_views.runtime.postgres import database
from async_views.runtime.postgres.database import Checks, connection, is_unavailable

pytestmark = pytest.mark.usefixtures("django_db_setup")


def request_with(pool: database.Pool) -> HttpRequest:
    request = AsyncRequestFactory().get("/")
    request.scope = {**request.scope, "state": {"database": pool}}
    return request


async def backend(request: HttpRequest) -> Any:
    async with connection(request) as borrowed:
        [row] = await (await borrowed.execute("SELECT pg_backend_pid()")).fetchall()
    return row[0]


async def test_a_worker_s_requests_share_its_connections() -> None:
    async with database.pool() as pool:
        request = request_with(pool)

        backends = {await backend(request) for _ in range(5)}

    assert len(backends) == 1


async def test_without_a_lifespan_each_call_has_a_connection_of_its_own() -> None:
    requests = [RequestFactory().get("/"), AsyncRequestFactory().get("/")]

    backends = [await backend(request) for request in requests * 2]

    assert len(set(backends)) == 4


async def test_the_pool_is_bounded_and_raises_an_error_when_exhausted(
    settings: Settings,
) -> None:
    settings.DATABASE_POOL_SIZE = 1
    settings.DATABASE_SECONDS = 0.2
    async with database.pool() as pool:
        request = request_with(pool)
        async with connection(request):
            with pytest.raises(PoolTimeout) as refusal:
                await backend(request)

            waiting = [asyncio.create_task(backend(request)) for _ in range(20)]
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)

        assert is_unavailable(refusal.value)
        assert any(isinstance(outcome, TooManyRequests) for outcome in outcomes)
        assert all(is_unavailable(outcome) for outcome in outcomes)
        assert await backend(request)


async def test_a_broken_connection_is_not_lent_after_its_check() -> None:
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as lent:
        checks = Checks(every_seconds=0)
        await checks.check(lent)
        await lent.close()

        with pytest.raises(psycopg.OperationalError):
            await checks.check(lent)


async def test_a_connection_is_checked_at_most_once_an_interval() -> None:
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as lent:
        checks = Checks(every_seconds=60)
        await checks.check(lent)
        await lent.close()

        await checks.check(lent)


async def test_a_cancelled_request_returns_its_connection(
    settings: Settings,
) -> None:
    settings.DATABASE_POOL_SIZE = 1
    async with database.pool() as pool:
        request = request_with(pool)
        borrowed = asyncio.Event()

        async def hold() -> None:
            async with connection(request) as held:
                borrowed.set()
                await held.execute("SELECT pg_sleep(60)")

        holding = asyncio.create_task(hold())
        await borrowed.wait()
        holding.cancel()
        await asyncio.wait([holding])

        assert await backend(request)


@pytest.mark.parametrize(
    ("error", "unavailable"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.QueryCanceled(), False),
        (psycopg.errors.DiskFull(), False),
        (psycopg.errors.UniqueViolation(), False),
        (ValueError(), False),
    ],
)
def test_only_an_unreachable_database_is_unavailable(
    error: Exception, unavailable: bool
) -> None:
    assert is_unavailable(error) is unavailable

    wrapped = django.db.OperationalError()
    wrapped.__cause__ = error
    assert is_unavailable(wrapped) is unavailable
