"""Which number does a table give out next? None that a row has been given by hand."""

from typing import Any

from django.db.models import Model


def advance_sequence(cursor: Any, model: type[Model]) -> None:
    """Moves the sequence of a model's key up to the greatest key, and never back.

    A number that was given out is not given out again, whether its row is still there
    or not: people may have kept its address.
    """
    table, column = model._meta.db_table, model._meta.pk.column
    cursor.execute(
        f"SELECT setval(sequence, max({column}))"
        f" FROM {table}, pg_get_serial_sequence(%s, %s) AS sequence"
        " GROUP BY sequence"
        f" HAVING max({column}) > coalesce(pg_sequence_last_value(sequence), 0)",
        [table, column],
    )
