"""Database connections for asynchronous code.

`async with connection(request) as database:` borrows one from the worker's pool, which the
lifespan opens. Without a lifespan (WSGI, the test client) it opens one for the block, which
is slower.
"""

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import django.db
import psycopg
from django.conf import settings
from django.http import HttpRequest
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from async_views.runtime.asgi.state import StateKey
from async_views.runtime.waiting.coalesce import TooManyWaiting, Unanswered
from async_views.runtime.waiting.eager import begun

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]
POOL = StateKey[Pool]("database")


class WorkerPool(Pool):
    """psycopg's pool, with two fixes for cancelled tasks and for outages.

    Written against psycopg-pool 3.3.3, whose `_waiting` (the queue of waiting clients) and
    `WaitingClient.error` are private.
    """

    async def getconn(self, timeout: float | None = None) -> Connection:
        try:
            return await super().getconn(timeout)
        except BaseException:
            # psycopg leaves a client that has given up in the queue until a connection
            # is returned. During an outage the queue would fill up and refuse everyone.
            gone = [each for each in self._waiting if each.error is not None]
            for each in gone:
                self._waiting.remove(each)
            raise

    async def putconn(self, conn: Connection) -> None:
        # The pool loses a connection if the task that returns it is cancelled while it
        # waits for the pool's lock. It seldom has to wait.
        rest = begun(super().putconn(conn))
        if rest is not None:
            await asyncio.shield(finish(rest))


async def finish(work: Awaitable[None]) -> None:
    await work


# Django's parameters for psycopg that are not connection parameters.
DJANGO_ONLY = frozenset({"context", "cursor_factory", "prepare_threshold"})

# SQLSTATEs of failures of the server rather than of a statement: connection exceptions,
# too many connections, shutting down or starting up.
# https://www.postgresql.org/docs/18/errcodes-appendix.html
UNAVAILABLE = ("08", "53300", "57P")

NOT_A_NUMBER = re.compile(r"Field '\w+' expected a number but got ")


def parameters() -> dict[str, Any]:
    """libpq's parameters of Django's default database, or of its test database."""
    django_parameters = django.db.connection.get_connection_params()
    return {
        name: value
        for name, value in django_parameters.items()
        if name not in DJANGO_ONLY
    } | {"autocommit": True, "connect_timeout": max(2, int(settings.DATABASE_SECONDS))}


class Checks:
    """Checks each connection at most once in a given number of seconds.

    Checking at each loan, as psycopg's pool would, takes half the time of a quick read. A
    connection that breaks in between fails the reads that use it, with a 503.
    """

    def __init__(self, every_seconds: float = 1.0) -> None:
        self._every_seconds = every_seconds
        self._checked: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()

    async def check(self, lent: Connection) -> None:
        """Raises psycopg.OperationalError for a connection that does not work."""
        now = time.monotonic()
        if now - self._checked.get(lent, -math.inf) > self._every_seconds:
            await AsyncConnectionPool.check_connection(lent)
            self._checked[lent] = now


@asynccontextmanager
async def pool() -> AsyncIterator[Pool]:
    """The worker's pool, for its lifespan.

    Raises psycopg.OperationalError if the database does not respond in DATABASE_SECONDS.
    """
    opened = WorkerPool(
        kwargs=parameters(),
        min_size=1,
        max_size=settings.DATABASE_POOL_SIZE,
        # One more is refused at once.
        max_waiting=settings.DATABASE_POOL_SIZE * 8,
        timeout=settings.DATABASE_SECONDS,
        check=Checks().check,
        # Short, so that the next request tries a database that may be up again, instead
        # of waiting for a retry that backs off for minutes.
        reconnect_timeout=1,
        open=False,
        name="database",
    )
    try:
        try:
            await opened.open(wait=True, timeout=settings.DATABASE_SECONDS)
        except PoolTimeout:
            # The pool does not tell the cause; connecting once more does.
            async with await psycopg.AsyncConnection.connect(**parameters()):
                raise
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def connection(request: HttpRequest) -> AsyncIterator[Connection]:
    """A connection in autocommit mode, for the block.

    Raises an error for which `is_unavailable` is true if there is none.
    """
    worker_pool = POOL.find(request)
    if worker_pool is not None:
        async with worker_pool.connection() as borrowed:
            yield borrowed
    else:
        async with await psycopg.AsyncConnection.connect(**parameters()) as own:
            yield own


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the database could not be reached, rather than refused a statement."""
    if isinstance(error, Unanswered):
        return is_unavailable(error.__cause__) or isinstance(
            error.__cause__, TimeoutError
        )
    if isinstance(error, PoolTimeout | TooManyRequests | TooManyWaiting):
        return True
    if isinstance(error, django.db.OperationalError | django.db.InterfaceError):
        return is_unavailable(error.__cause__)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return error.sqlstate is None or error.sqlstate.startswith(UNAVAILABLE)
    return False


def is_refused_value(error: BaseException | None) -> bool:
    """Whether the database did not accept a value.

    Such as a NUL in a text, or an invalid regular expression: SQLSTATE class 22. psycopg
    refuses some by itself.
    """
    if isinstance(error, ValueError | TypeError):
        # Raised by Django for an ID in a form's field or an admin action.
        return NOT_A_NUMBER.match(str(error)) is not None
    return isinstance(error, django.db.DataError | psycopg.DataError)
