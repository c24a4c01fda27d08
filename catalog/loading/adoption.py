"""How does a database that somebody else made become the catalog's?

The statements of the book's chapter 5 make the same tables, without indexes and with
fewer rules, and its examples may break those rules. Nothing of what is there is changed
or lost: a table that is there is taken as it is, and a rule that its rows break is left
out, and said to be.
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

LONGEST_VALUE = 60  # characters of a value that a sentence quotes


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that cannot be added: how many rows break it, and the first of them."""

    table: str
    rule: str
    rows: int
    of: int
    such_as: str

    def __str__(self) -> str:
        return (
            f"The rule {self.rule} is left out: {self.rows:,} of {self.of:,} rows of "
            f"{self.table} break it, such as {self.such_as}."
        )


def add_rule(
    schema_editor: Any, model: type[Model], rule: BaseConstraint
) -> BrokenRule | None:
    """Adds a constraint, unless there are rows that break it, and then says so."""
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.add_constraint(model, rule)
    except IntegrityError:
        rows = rows_that_break(model, rule)
        first = rows.first()
        return BrokenRule(
            table=model._meta.db_table,
            rule=rule.name,
            rows=rows.count(),
            of=model._default_manager.count(),
            such_as=in_words(first) if first else "one that has just gone",
        )
    return None


def rows_that_break(model: type[Model], rule: BaseConstraint) -> QuerySet[Model]:
    """In the order of their keys; of rows that are alike, all but the first."""
    rows = model._default_manager.order_by("pk")
    if isinstance(rule, CheckConstraint):
        return rows.exclude(rule.condition)
    if isinstance(rule, UniqueConstraint):
        alike = {name: OuterRef(name) for name in rule.fields}
        return rows.filter(Exists(rows.filter(**alike, pk__lt=OuterRef("pk"))))
    raise TypeError(f"{rule!r} is a kind of rule whose breach nobody has described")


def in_words(row: Model) -> str:
    return ", ".join(
        f"{field.column} {repr(field.value_from_object(row))[:LONGEST_VALUE]}"
        for field in row._meta.concrete_fields
    )


def has_rule(connection: Any, table: str, rule: BaseConstraint) -> bool:
    with connection.cursor() as cursor:
        return rule.name in connection.introspection.get_constraints(cursor, table)


class CreateWhereMissing(CreateModel):
    """Makes a model's table unless there is one of that name, with the same columns.

    Raises CommandError for a table that has others, for it is somebody else's.
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
                    f"DATABASE_URL names a database with a table {table} that has no "
                    f"column {field.column}: name the book's, or one without such a "
                    "table."
                )


class AddWhereItHolds(AddConstraint):
    """Adds a constraint, or says that rows break it and goes on."""

    model_name: str
    constraint: BaseConstraint

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        broken = add_rule(schema_editor, model, self.constraint)
        if broken:
            logger.warning(
                "%s Once they are mended, `manage.py adopt_catalog` adds it.", broken
            )

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if has_rule(schema_editor.connection, model._meta.db_table, self.constraint):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def advance_sequences(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for model in apps.get_app_config("catalog").get_models():
            advance_sequence(cursor, model)


class AdvanceSequences(RunPython):
    """Lets no table give out a number that a row has been given by hand."""

    def __init__(self) -> None:
        super().__init__(advance_sequences, RunPython.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {}
