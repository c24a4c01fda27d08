"""A limit on the time that a write waits for locks of others.

A write that waits occupies a thread and a connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from async_views.runtime.asgi.problem import unavailable


@contextmanager
def bounded_locks() -> Iterator[None]:
    """A transaction that waits for no lock longer than DATABASE_SECONDS.

    After that it raises Problem 503 and is rolled back. Blocks, like all code that uses
    the ORM.
    """
    milliseconds = round(settings.DATABASE_SECONDS * 1000)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true)", [str(milliseconds)]
                )
            yield
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        raise unavailable(
            "Another write has locked a row that this one needs. Nothing was written."
        ) from error


def is_lock_timeout(error: Exception) -> bool:
    """Whether the ORM's error says that the wait for a lock timed out."""
    return isinstance(error, OperationalError) and isinstance(
        error.__cause__, LockNotAvailable
    )
