"""How is a table filled without PostgreSQL keeping indexes and references row by row?

Made anew at the end, an index is sorted once and a reference is one join. That is how
PostgreSQL's manual has it (chapter "Performance Tips", "Populating a Database").
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Everything but primary keys, which other tables may refer to. References go first:
# they may lean on what follows. PostgreSQL itself says how to make each one anew, so
# that another's database gets back its own rules and not ours.
FIND = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
              conrelid::regclass, conname, pg_get_constraintdef(oid)),
       CASE contype WHEN 'f' THEN 1 ELSE 2 END AS turn
  FROM pg_constraint
 WHERE contype IN ('f', 'u') AND conrelid = ANY(%(tables)s::regclass[])
 UNION ALL
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid), 3
  FROM pg_index
 WHERE indrelid = ANY(%(tables)s::regclass[])
   AND NOT EXISTS (SELECT FROM pg_constraint
                    WHERE conindid = indexrelid AND conrelid = indrelid)
 ORDER BY turn, 1
"""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """One index or constraint, as the statements that drop and make it."""

    drop: str
    make: str


def find(cursor: Any, tables: Sequence[str]) -> list[Upkeep]:
    cursor.execute(FIND, {"tables": list(tables)})
    return [Upkeep(drop, make) for drop, make, _ in cursor.fetchall()]


@contextmanager
def put_aside(
    cursor: Any, tables: Sequence[str], on_made: Callable[[int, int], None]
) -> Iterator[None]:
    """Drops what costs upkeep and makes it anew, inside the caller's transaction.

    An error leaves the dropping to the rollback. `on_made` gets how many are made of how
    many.
    """
    found = find(cursor, tables)
    for upkeep in found:
        cursor.execute(upkeep.drop)
    yield
    for made, upkeep in enumerate(reversed(found), start=1):
        cursor.execute(upkeep.make)
        on_made(made, len(found))
