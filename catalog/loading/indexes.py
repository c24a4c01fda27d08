"""Indexes and constraints, dropped while a table is filled and created again at the end.

Created at the end, an index is sorted once and a foreign key is checked by one join. This
is what PostgreSQL's manual recommends (chapter "Performance Tips", "Populating a
Database").
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# All except primary keys, which other tables may refer to. Foreign keys are dropped
# first, because they may depend on a unique constraint. PostgreSQL itself gives the
# statement that creates each one, so that an adopted database gets back its own
# definitions, not this site's.
FIND_DEFINITIONS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
              conrelid::regclass, conname, pg_get_constraintdef(oid)),
       CASE contype WHEN 'f' THEN 1 ELSE 2 END AS rank
  FROM pg_constraint
 WHERE contype IN ('f', 'u') AND conrelid = ANY(%(tables)s::regclass[])
 UNION ALL
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid), 3
  FROM pg_index
 WHERE indrelid = ANY(%(tables)s::regclass[])
   AND NOT EXISTS (SELECT FROM pg_constraint
                    WHERE conindid = indexrelid AND conrelid = indrelid)
 ORDER BY rank, 1
"""


@dataclass(frozen=True, slots=True)
class Definition:
    """The statements that drop and create one index or constraint."""

    drop: str
    create: str


def definitions(cursor: Any, tables: Sequence[str]) -> list[Definition]:
    cursor.execute(FIND_DEFINITIONS, {"tables": list(tables)})
    return [Definition(drop, create) for drop, create, _ in cursor.fetchall()]


@contextmanager
def without_indexes(
    cursor: Any, tables: Sequence[str], on_created: Callable[[int, int], None]
) -> Iterator[None]:
    """Drops the tables' indexes, and creates them again in the caller's transaction.

    After an error nothing is created: the caller rolls back. `on_created` is called with
    the number created so far and the total.
    """
    found = definitions(cursor, tables)
    for definition in found:
        cursor.execute(definition.drop)
    yield
    for created, definition in enumerate(reversed(found), start=1):
        cursor.execute(definition.create)
        on_created(created, len(found))
