"""The steps of a management command: a failure names the step and the reason."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper
from django.db import Error, OperationalError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory

FROM_OUTSIDE = (
    OperationalError,
    InconsistentMigrationHistory,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
)


@dataclass
class Step:
    """`failed` says what has failed if an error is raised now."""

    failed: str


@contextmanager
def step(failed: str, stderr: OutputWrapper) -> Iterator[Step]:
    """Raises CommandError for an exception in the block: what failed, and the reason.

    The traceback goes to `stderr` first, unless the cause is the database or its contents:
    then it would only hide the message, and `--traceback` shows it. A CommandError has
    its own message.
    """
    current = Step(failed)
    try:
        yield current
    except CommandError:
        raise
    except Exception as error:
        if not is_from_outside(error):
            stderr.write("".join(traceback.format_exception(error)))
        raise CommandError(f"{current.failed}: {reason(error)}.") from error


def connect() -> None:
    """Connects to the database; raises CommandError if that is impossible."""
    place = (
        f"The database in EMBEDDED_POSTGRES_DIR ({settings.EMBEDDED_POSTGRES_DIR})"
        if settings.EMBEDDED_POSTGRES
        else "DATABASE_URL"
    )
    try:
        connection.ensure_connection()
    except Error as error:
        raise CommandError(f"{place} cannot be used: {reason(error)}.") from error


def is_from_outside(error: BaseException | None) -> bool:
    """Whether the database is at fault, not the code: it is down, full or read-only."""
    while error is not None:
        if isinstance(error, FROM_OUTSIDE):
            return True
        # Django raises MigrationSchemaMissing without `from`.
        error = error.__cause__ or error.__context__
    return False


def reason(error: Exception) -> str:
    """The error in one line, without a full stop."""
    first = next(iter(str(error).strip().splitlines()), "").rstrip(".")
    if first and isinstance(error, Error | InconsistentMigrationHistory):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
