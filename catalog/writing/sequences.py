"""Sequences of primary keys, for tables whose rows were inserted with given IDs."""

from typing import Any

from django.db.models import Model


def advance_sequence(cursor: Any, model: type[Model]) -> None:
    """Move the sequence of a model's primary key up to the greatest ID, and never back.

    An ID is never used again, even if its row was deleted: clients may have kept its URL.
    """
    table, column = model._meta.db_table, model._meta.pk.column
    cursor.execute(
        f"SELECT setval(sequence, max({column}))"
        f" FROM {table}, pg_get_serial_sequence(%s, %s) AS sequence"
        " GROUP BY sequence"
        f" HAVING max({column}) > coalesce(pg_sequence_last_value(sequence), 0)",
        [table, column],
    )
