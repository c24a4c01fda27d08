"""Concurrent writes from several threads, each with its own database connection."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import psycopg
from django.db import connection
from psycopg import sql

from async_views.runtime.postgres import database

Result = TypeVar("Result")

SECONDS_TO_WAIT = 60


def on_own_connection(work: Callable[[], Result]) -> Result:
    """Call `work` and close the thread's connection."""
    try:
        return work()
    finally:
        connection.close()


def in_threads(number: int, work: Callable[[int], Result]) -> list[Result]:
    """Call `work` with each number, all at the same time, each on its own connection."""
    with ThreadPoolExecutor(number) as threads:
        return list(
            threads.map(
                lambda turn: on_own_connection(partial(work, turn)),
                range(number),
                timeout=SECONDS_TO_WAIT,
            )
        )


def once_it_waits(work: Callable[[], Result], let_go: Callable[[], object]) -> Result:
    """The result of `work`, which waits for a lock that `let_go` releases."""
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(on_own_connection, work)
        while not a_transaction_waits():
            assert not answer.done()
        let_go()
        return answer.result()


def a_transaction_waits() -> bool:
    """Whether a transaction is waiting for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None


@contextmanager
def kept_locked(table: str) -> Iterator[None]:
    """Lock all rows of a table from another connection, for ten seconds at most."""
    with (
        psycopg.connect(**database.parameters()) as holder,
        holder.transaction(),
    ):
        holder.execute("SET LOCAL idle_in_transaction_session_timeout = '10s'")
        locking = sql.SQL("SELECT 1 FROM {} FOR UPDATE")
        holder.execute(locking.format(sql.Identifier(table)))
        yield
