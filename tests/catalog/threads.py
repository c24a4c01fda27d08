"""How do the tests write from many connections at a time?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")

SECONDS_TO_WAIT = 30


def in_threads(number: int, work: Callable[[int], Result]) -> list[Result]:
    """Calls it with each number at the same time, each on a connection of its own."""

    def on_own_connection(turn: int) -> Result:
        try:
            return work(turn)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as threads:
        return list(
            threads.map(on_own_connection, range(number), timeout=SECONDS_TO_WAIT)
        )


def somebody_waits() -> bool:
    """Whether some transaction waits for another one's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None
