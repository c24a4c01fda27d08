"""The migrations that this release requires, and those that a database lacks."""

from functools import cache
from typing import LiteralString

import psycopg
from django.db.migrations.loader import MigrationLoader

from async_views.runtime.postgres.database import Connection

Migration = tuple[str, str]  # the label of its app, and its name

RECORDED: LiteralString = "SELECT app, name FROM django_migrations"
MAX_NAMED = 3


@cache
def required_migrations() -> frozenset[Migration]:
    """Those that a database has recorded after `migrate`.

    Reads the migration files, once in a process. A squashed migration counts as applied
    if all that it replaces are recorded, so these are required in its place
    (https://docs.djangoproject.com/en/5.2/topics/migrations/#squashing-migrations).
    """
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    found = loader.disk_migrations
    squashed = {key for key, migration in found.items() if migration.replaces}
    replaced = {(app, name) for key in squashed for app, name in found[key].replaces}
    return frozenset((found.keys() | replaced) - squashed)


async def pending_migrations(database: Connection) -> list[Migration]:
    """The required migrations that the database has not recorded, sorted by name.

    Additional records belong to a newer release and are ignored. Raises psycopg.Error if
    the records cannot be read.
    """
    try:
        # Not prepared: a restored table may have columns of another type.
        cursor = await database.execute(RECORDED, prepare=False)
    except psycopg.errors.UndefinedTable:
        return sorted(required_migrations())
    return sorted(required_migrations().difference(await cursor.fetchall()))


def in_words(migrations: list[Migration]) -> str:
    """Such as "catalog.0001_initial, catalog.0003_groups and 4 more"."""
    named = ", ".join(".".join(each) for each in migrations[:MAX_NAMED])
    more = len(migrations) - MAX_NAMED
    return f"{named} and {more} more" if more > 0 else named
