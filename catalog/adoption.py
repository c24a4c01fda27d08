"""How does a database that somebody else made become the catalog's?

The statements of the book's chapter 5 make the same tables, without indexes and with
fewer rules, and its examples may break those rules. Nothing of what is there is changed
or lost: a table that is there is taken as it is, and a rule that its rows break is left
out, and said to be.
"""

import logging
from typing import Any

from django.db import IntegrityError, transaction
from django.db.migrations import AddConstraint, CreateModel, RunPython

logger = logging.getLogger(__name__)


class CreateWhereMissing(CreateModel):
    """Makes a model's table unless there is one of that name."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if table not in schema_editor.connection.introspection.table_names():
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddWhereItHolds(AddConstraint):
    """Adds a constraint, or says that rows break it and goes on."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        try:
            with transaction.atomic(schema_editor.connection.alias):
                super().database_forwards(
                    app_label, schema_editor, from_state, to_state
                )
        except IntegrityError as error:
            logger.warning(
                "The rule %s is left out, because rows break it (%s). Once they are "
                "mended, add it with: manage.py adopt_catalog",
                self.constraint.name,
                " ".join(str(error).split()),
            )


def advance_sequences(apps: Any, schema_editor: Any) -> None:
    """Lets no table give out a number that a row has been given by hand."""
    with schema_editor.connection.cursor() as cursor:
        for model in apps.get_app_config("catalog").get_models():
            table, column = model._meta.db_table, model._meta.pk.column
            # setval's third argument: whether that number has been given out.
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), greatest(max({column}), 1),"
                f" max({column}) IS NOT NULL) FROM {table}",
                [table, column],
            )


class AdvanceSequences(RunPython):
    def __init__(self) -> None:
        super().__init__(advance_sequences, RunPython.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {}
