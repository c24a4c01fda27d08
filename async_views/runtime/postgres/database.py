"""How does asynchronous code borrow a database connection?

`async with connection(request) as database:` borrows from the worker's pool, which the
lifespan opened. Where there is no lifespan (WSGI, the test client) the same call opens
one connection for the occasion: slower, and as right.
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
    """psycopg's pool, for tasks that are cancelled and a database that comes and goes.

    Written against psycopg-pool 3.3.3: `_waiting` is private there.
    """

    async def getconn(self, timeout: float | None = None) -> Connection:
        try:
            return await super().getconn(timeout)
        except BaseException:
            # Who has given up stays in the queue until a connection comes by. A queue
            # full of them refuses everybody, before anybody asks for a connection.
            gone = [each for each in self._waiting if each.error is not None]
            for each in gone:
                self._waiting.remove(each)
            raise

    async def putconn(self, conn: Connection) -> None:
        # The pool loses a connection that it is told to take back by a task which is
        # cancelled while it waits for the pool's lock. It seldom has to wait.
        rest = begun(super().putconn(conn))
        if rest is not None:
            await asyncio.shield(finish(rest))


async def finish(work: Awaitable[None]) -> None:
    await work


# Django's own way of talking to psycopg, which is no part of where the database is.
DJANGO_ONLY = frozenset({"context", "cursor_factory", "prepare_threshold"})

# SQLSTATE classes that say the server, not the statement, was the trouble:
# connection exceptions, too many connections, shutting down or starting up.
# https://www.postgresql.org/docs/18/errcodes-appendix.html
UNAVAILABLE = ("08", "53300", "57P")

NOT_A_NUMBER = re.compile(r"Field '\w+' expected a number but got ")


def parameters() -> dict[str, Any]:
    """Where Django's default database is, test database included, in libpq's words."""
    django_parameters = django.db.connection.get_connection_params()
    return {
        name: value
        for name, value in django_parameters.items()
        if name not in DJANGO_ONLY
    } | {"autocommit": True, "connect_timeout": max(2, int(settings.DATABASE_SECONDS))}


class Checks:
    """When each connection was last asked whether it still works.

    Once in so many seconds is enough: at each loan, as psycopg's pool would, it is half
    of what a quick read takes. One that breaks in between fails the reads that have it,
    which are told that the database does not answer.
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
    """The worker's pool, for its lifespan: open means that the database has answered.

    Raises psycopg.OperationalError when it has not within DATABASE_SECONDS.
    """
    opened = WorkerPool(
        kwargs=parameters(),
        min_size=1,
        max_size=settings.DATABASE_POOL_SIZE,
        # Who would wait behind this many is better told at once.
        max_waiting=settings.DATABASE_POOL_SIZE * 8,
        timeout=settings.DATABASE_SECONDS,
        check=Checks().check,
        # Soon given up, so that the next request asks a database that may be back,
        # instead of waiting for a turn that backs off for minutes.
        reconnect_timeout=1,
        open=False,
        name="database",
    )
    try:
        try:
            await opened.open(wait=True, timeout=settings.DATABASE_SECONDS)
        except PoolTimeout:
            # The pool does not say what was wrong; connecting once more does.
            async with await psycopg.AsyncConnection.connect(**parameters()):
                raise
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def connection(request: HttpRequest) -> AsyncIterator[Connection]:
    """A connection in autocommit mode, for as long as the block lasts.

    Raises an error for which `is_unavailable` is true when there is none to be had.
    """
    worker_pool = POOL.find(request)
    if worker_pool is not None:
        async with worker_pool.connection() as borrowed:
            yield borrowed
    else:
        async with await psycopg.AsyncConnection.connect(**parameters()) as own:
            yield own


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the database could not be reached, as opposed to did not like a statement."""
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
    """Whether the database did not take a value that it was sent.

    Such as a NUL in a text, or a pattern that is none: SQLSTATE class 22; psycopg refuses
    some by itself.
    """
    if isinstance(error, ValueError | TypeError):
        # Django's own, of a key that is sent as a field of a form, or to act upon.
        return NOT_A_NUMBER.match(str(error)) is not None
    return isinstance(error, django.db.DataError | psycopg.DataError)
