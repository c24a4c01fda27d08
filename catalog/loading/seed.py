"""How do the example data come into the catalog? All of them or none, in seconds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from catalog.loading import example
from catalog.loading.example import Example
from catalog.loading.indexes import without_indexes
from catalog.models import Brand, Product, ProductColor, ProductSize, Sku
from catalog.writing.sequences import advance_sequence

MODELS = (Brand, ProductColor, ProductSize, Product, Sku)
ROWS_BETWEEN_REPORTS = 10_000

# What is loaded, and how many of how many.
Progress = Callable[[str, int, int], None]


class CatalogNotEmpty(Exception):
    """There are rows, which example data would mix with."""


def is_empty() -> bool:
    return not any(model._default_manager.exists() for model in MODELS)


def count_rows() -> dict[type[Model], int]:
    return {model: model._default_manager.count() for model in MODELS}


def in_words(counts: Mapping[type[Model], int]) -> str:
    """Such as "1 brand, 1,000 products"; what there is none of is not named."""
    return ", ".join(
        f"{count:,} {model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural}"
        for model, count in counts.items()
        if count
    )


def in_short(loaded: Example) -> str:
    """What people call the example's size."""
    return in_words({Brand: example.BRANDS, Product: loaded.products, Sku: loaded.skus})


def seed(
    wanted: Example,
    *,
    replace: bool = False,
    on_progress: Progress = lambda what, done, total: None,
) -> None:
    """Fills the catalog, in one transaction, during which its readers wait.

    With `replace` what is there is deleted first; without it, rows raise
    CatalogNotEmpty. The tables are analysed, and their next keys follow the example's.
    """
    tables = [model._meta.db_table for model in MODELS]
    every_table = ", ".join(tables)
    with transaction.atomic(), connection.cursor() as cursor:
        # Keeps out writers and another seeding, so that none is overtaken between the
        # question and the deletion; a refusal disturbs no reader.
        cursor.execute(f"LOCK TABLE {every_table} IN SHARE ROW EXCLUSIVE MODE")
        if not replace and not is_empty():
            raise CatalogNotEmpty
        cursor.execute(f"TRUNCATE {every_table} RESTART IDENTITY")
        with without_indexes(
            cursor, tables, lambda done, total: on_progress("indexes", done, total)
        ):
            for model, rows, total in contents(wanted):
                copy(cursor, model, rows, total, on_progress)
        for model in MODELS:
            advance_sequence(cursor, model)
        cursor.execute(f"ANALYZE {every_table}")


def contents(wanted: Example) -> Iterable[tuple[type[Model], Iterable[Any], int]]:
    """The rows of each model, their values in the order of its columns, and how many."""
    for model, names in (
        (Brand, example.brand_names()),
        (ProductColor, example.COLORS),
        (ProductSize, example.SIZES),
    ):
        yield model, example.numbered(names), len(names)
    yield Product, example.products(wanted), wanted.products
    yield Sku, example.skus(wanted), wanted.skus


def copy(
    cursor: Any,
    model: type[Model],
    rows: Iterable[tuple[int | str, ...]],
    total: int,
    on_progress: Progress,
) -> None:
    what = str(model._meta.verbose_name_plural)
    columns = ", ".join(field.column for field in model._meta.concrete_fields)
    # FREEZE, which the TRUNCATE allows, spares the table its first VACUUM. Measured, the
    # binary format is no quicker, nor are rows that PostgreSQL makes up itself.
    statement = f"COPY {model._meta.db_table} ({columns}) FROM STDIN (FREEZE)"
    # Django sees only what a cursor's calls raise, not what the end of this block does.
    with connection.wrap_database_errors, cursor.copy(statement) as copying:
        for done, row in enumerate(rows, start=1):
            copying.write_row(row)
            if done % ROWS_BETWEEN_REPORTS == 0 and done < total:
                on_progress(what, done, total)
    on_progress(what, total, total)
