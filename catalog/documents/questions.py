"""Which questions does the catalog answer, and in which words does PostgreSQL hear them?

Each is written once, as a QuerySet. Its SQL, compiled once, runs on the worker's
asynchronous pool, where PostgreSQL itself makes the JSON: one round trip, and no row
becomes an object.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Expression,
    F,
    Func,
    Model,
    QuerySet,
    TextField,
)

from catalog.models import Brand, Product, Sku
from catalog.models.product import Folded, Trigrams

Rows = QuerySet[Any, Any]

# What an order is called in the query string, and the columns that make it total.
ORDERS = {
    "product_id": ("id",),
    "-product_id": ("-id",),
    "product_name": ("name", "id"),
    "-product_name": ("-name", "-id"),
}

COLUMN_TYPES = {"id": "integer", "name": "text"}


class Parameter(Expression):
    """A value that is only known when the question is asked, of a type of PostgreSQL's."""

    def __init__(self, name: str, type_name: str) -> None:
        super().__init__(output_field=TextField())
        self.name = name
        self.type_name = type_name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"%s::{self.type_name}", [self]


class IsOneOf(Func):
    """Whether the first is in the second, an array."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class Follows(Func):
    """Whether a row comes after another in an order: columns, then that row's values."""

    output_field = BooleanField()

    def __init__(self, *expressions: Any, descending: bool) -> None:
        super().__init__(*expressions)
        self.descending = descending

    def as_sql(
        self, compiler: Any, connection: Any, *unused: Any, **context: Any
    ) -> tuple[str, list[Any]]:
        # As one row: PostgreSQL then begins right there in the index of both columns.
        compiled = [compiler.compile(each) for each in self.get_source_expressions()]
        half = len(compiled) // 2
        columns, values = (
            ", ".join(sql for sql, _ in part)
            for part in (compiled[:half], compiled[half:])
        )
        sign = "<" if self.descending else ">"
        parameters = [each for _, some in compiled for each in some]
        return f"({columns}) {sign} ({values})", parameters


class ContainsAll(Func):
    """Whether the first array has all that is in the second."""

    arg_joiner = " @> "
    template = "%(expressions)s"
    output_field = BooleanField()


class IsWithin(Func):
    """Whether the second text has the first in it."""

    template = "strpos(%(expressions)s) > 0"
    output_field = BooleanField()


@dataclass(frozen=True, slots=True)
class Question:
    """SQL with placeholders, and what each stands for."""

    sql: str
    parameters: tuple[Any, ...]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What goes into the placeholders, in their order."""
        return [
            given[each.name] if isinstance(each, Parameter) else each
            for each in self.parameters
        ]


def compiled(rows: Rows, members: str, around: str, *more: Parameter) -> Question:
    """The question that `around`, with `more`, makes of the rows, which it calls `row`.

    `members` are those of each row's JSON, in this order.
    """
    sql, parameters = rows.query.get_compiler(connection=connection).as_sql()
    rows_sql = f"(SELECT {members} FROM ({sql}) AS found) AS row"
    return Question(around.format(rows=rows_sql), (*parameters, *more))


def insertion(model: type[Model], names: Sequence[str], members: str) -> Question:
    """Inserts as many rows as the arrays have values, one array for each field.

    Answers for each row, in their order, its number and its document. An insertion that
    would wait for a lock for longer than LOCK_MILLISECONDS is refused.
    """
    fields = {each.attname: each for each in model._meta.concrete_fields}
    types = [f"{fields[name].db_type(connection)}[]" for name in names]
    sql = NEW.format(
        milliseconds=LOCK_MILLISECONDS,
        table=model._meta.db_table,
        columns=", ".join(fields[name].column for name in names),
        arrays=", ".join(f"%s::{each}" for each in types),
        made=MADE.format(key=model._meta.pk.column, members=members),
    )
    return Question(sql, tuple(map(Parameter, names, types)))


BRAND = "brand_id, brand_name"
PRODUCT = "product_id, product_name, brand_id"
SKU = (
    "sku_id, product_id, product_size_id, product_size_name,"
    " product_color_id, product_color_name"
)

# A whole document. With json_agg there would be line ends between the rows.
ARRAY = (
    "SELECT '[' || coalesce(string_agg(row_to_json(row)::text, ','), '') || ']'"
    " FROM {rows}"
)
# A document for each row, and by which number it was asked for.
BY_BRAND = "SELECT brand_id, row_to_json(row)::text FROM {rows}"
BY_PRODUCT = "SELECT product_id, row_to_json(row)::text FROM {rows}"
LISTED_PRODUCT = "product_id, product_name, brand_id, brand_name"
LISTING = "SELECT row.* FROM {rows} LIMIT %s"
# A document for each row, and where in the order the row is.
PAGE = "SELECT row_to_json(row)::text, product_id, product_name FROM {rows} LIMIT %s"


# Those of rows that are being made, as BY_BRAND and BY_PRODUCT have them.
MADE = "{key}, (SELECT row_to_json(row)::text FROM (SELECT {members}) AS row)"
# A lock that somebody holds for long, on a brand that they delete, stops all rows beside
# it. Each part needs the one before, which fixes their order.
NEW = """
WITH bounded AS MATERIALIZED (SELECT set_config('lock_timeout', '{milliseconds}', true))
INSERT INTO {table} ({columns})
SELECT row.* FROM bounded, unnest({arrays}) AS row
RETURNING {made}
"""
LOCK_MILLISECONDS = 250


def array_of(ids: Iterable[int]) -> str:
    """As PostgreSQL writes it: of a list, psycopg would look at each number."""
    return f"{{{','.join(map(str, ids))}}}"


IS_ASKED_FOR = IsOneOf(F("id"), Parameter("ids", "integer[]"))


def brand_rows() -> Rows:
    return Brand.objects.order_by("id").values(brand_id=F("id"), brand_name=F("name"))


def product_rows() -> Rows:
    return Product.objects.values(
        "brand_id", product_id=F("id"), product_name=F("name")
    )


def sku_rows() -> Rows:
    return Sku.objects.order_by("id").values(
        "product_id",
        sku_id=F("id"),
        product_size_id=F("size_id"),
        product_size_name=F("size__name"),
        product_color_id=F("color_id"),
        product_color_name=F("color__name"),
    )


@cache
def all_brands() -> Question:
    return compiled(brand_rows(), BRAND, ARRAY)


@cache
def brands_by_id() -> Question:
    return compiled(brand_rows().filter(IS_ASKED_FOR).order_by(), BRAND, BY_BRAND)


@cache
def products_by_id() -> Question:
    return compiled(product_rows().filter(IS_ASKED_FOR).order_by(), PRODUCT, BY_PRODUCT)


@cache
def new_brands() -> Question:
    """Inserts a row for each of `name`."""
    return insertion(Brand, ("name",), BRAND)


@cache
def new_products() -> Question:
    """Inserts a row for each of `name` and `brand_id`, which go together."""
    return insertion(Product, ("name", "brand_id"), PRODUCT)


@cache
def skus_of_product() -> Question:
    """Those of the product `id`, as one document."""
    of_product = sku_rows().filter(product_id=Parameter("id", "integer"))
    return compiled(of_product, SKU, ARRAY)


LIMIT = Parameter("limit", "bigint")


@cache
def page_of_products(
    order: str, by_brand: bool, by_name: bool, onward: bool
) -> Question:
    """`limit` rows: of `brand_id`, with `q` in their name, after `name` and `id`."""
    rows = part_of_products(product_rows(), order, by_brand, by_name, onward)
    return compiled(rows, PRODUCT, PAGE, LIMIT)


@cache
def listing_of_products(
    order: str, by_brand: bool, by_name: bool, onward: bool
) -> Question:
    """The same rows, as they are, with the names of their brands."""
    rows = product_rows().annotate(brand_name=F("brand__name"))
    rows = part_of_products(rows, order, by_brand, by_name, onward)
    return compiled(rows, LISTED_PRODUCT, LISTING, LIMIT)


@cache
def listing_of_brands(by_name: bool, onward: bool) -> Question:
    """`limit` rows as they are: with `q` in their name, after `id`."""
    rows = brand_rows()
    if by_name:
        rows = rows.filter(IsWithin(Folded("name"), Folded(Parameter("q", "text"))))
    if onward:
        rows = rows.filter(id__gt=Parameter("id", "integer"))
    return compiled(rows, BRAND, LISTING, LIMIT)


def part_of_products(
    rows: Rows, order: str, by_brand: bool, by_name: bool, onward: bool
) -> Rows:
    columns = ORDERS[order]
    rows = rows.order_by(*columns)
    if by_brand:
        rows = rows.filter(brand_id=Parameter("brand_id", "integer"))
    if by_name:
        q = Parameter("q", "text")
        # The index finds who has all its trigrams; to have them in a row is more.
        rows = rows.alias(trigrams=Trigrams("name")).filter(
            ContainsAll(F("trigrams"), Trigrams(q)), IsWithin(Folded("name"), Folded(q))
        )
    if onward:
        names = [column.removeprefix("-") for column in columns]
        here = [Parameter(name, COLUMN_TYPES[name]) for name in names]
        rows = rows.filter(
            Follows(*map(F, names), *here, descending=columns[0].startswith("-"))
        )
    return rows
