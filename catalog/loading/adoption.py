"""Adopts the tables of an existing database, such as the book's.

The statements in chapter 5 of the book create the same tables, but without indexes and
with fewer constraints, and its example data may violate those constraints. Existing tables
and rows are not changed. A constraint that rows violate is left out and reported.
"""

import logging
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.db.migrations import AddConstraint, CreateModel, RunPython
from django.db.models import (
    BaseConstraint,
    CheckConstraint,
    Exists,
    Model,
    OuterRef,
    QuerySet,
    UniqueConstraint,
)

from catalog.writing.sequences import advance_sequence

logger = logging.getLogger(__name__)

MAX_VALUE_LENGTH = 60  # characters of a value in a message


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that rows violate: their number, and the first of them."""

    table: str
    constraint: str
    rows: int
    of: int
    example: str

    def __str__(self) -> str:
        return (
            f"The constraint {self.constraint} was not added: {self.rows:,} of {self.of:,} rows "
            f"of {self.table} violate it, such as {self.example}."
        )


def add_constraint_unless_violated(
    schema_editor: Any, model: type[Model], constraint: BaseConstraint
) -> Violation | None:
    """Adds a constraint, or returns how rows violate it."""
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.add_constraint(model, constraint)
    except IntegrityError:
        rows = violating_rows(model, constraint)
        first = rows.first()
        return Violation(
            table=model._meta.db_table,
            constraint=constraint.name,
            rows=rows.count(),
            of=model._default_manager.count(),
            example=in_words(first) if first else "one that was just deleted",
        )
    return None


def violating_rows(model: type[Model], constraint: BaseConstraint) -> QuerySet[Model]:
    """The rows that violate the constraint, by key; of duplicates, all but the first."""
    rows = model._default_manager.order_by("pk")
    if isinstance(constraint, CheckConstraint):
        return rows.exclude(constraint.condition)
    if isinstance(constraint, UniqueConstraint):
        alike = {name: OuterRef(name) for name in constraint.fields}
        return rows.filter(Exists(rows.filter(**alike, pk__lt=OuterRef("pk"))))
    raise TypeError(f"{constraint!r} is not a check or unique constraint")


def in_words(row: Model) -> str:
    return ", ".join(
        f"{field.column} {repr(field.value_from_object(row))[:MAX_VALUE_LENGTH]}"
        for field in row._meta.concrete_fields
    )


def has_constraint(connection: Any, table: str, constraint: BaseConstraint) -> bool:
    with connection.cursor() as cursor:
        return constraint.name in connection.introspection.get_constraints(
            cursor, table
        )


class CreateIfMissing(CreateModel):
    """Creates the table of a model unless it exists.

    Raises CommandError if the existing table lacks a column of the model.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        introspection = schema_editor.connection.introspection
        with schema_editor.connection.cursor() as cursor:
            if table not in introspection.table_names(cursor):
                super().database_forwards(
                    app_label, schema_editor, from_state, to_state
                )
                return
            described = introspection.get_table_description(cursor, table)
        found = {column.name for column in described}
        for field in model._meta.concrete_fields:
            if field.column not in found:
                raise CommandError(
                    f"The database in DATABASE_URL has a table {table} without the column "
                    f"{field.column}: use the book's database, or one without such a "
                    "table."
                )


class AddUnlessViolated(AddConstraint):
    """Adds a constraint, or logs a warning if rows violate it."""

    model_name: str
    constraint: BaseConstraint

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        violation = add_constraint_unless_violated(
            schema_editor, model, self.constraint
        )
        if violation:
            logger.warning(
                "%s Once they are fixed, `manage.py adopt_catalog` adds it.", violation
            )

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if has_constraint(
            schema_editor.connection, model._meta.db_table, self.constraint
        ):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def advance_sequences(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for model in apps.get_app_config("catalog").get_models():
            advance_sequence(cursor, model)


class AdvanceSequences(RunPython):
    """Advances the sequence of each table beyond its largest key."""

    def __init__(self) -> None:
        super().__init__(advance_sequences, RunPython.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {}
