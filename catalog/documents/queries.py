"""The catalog's queries, each written once as a QuerySet.

Its SQL is compiled once and runs on the worker's asynchronous pool. PostgreSQL itself
writes the JSON: one round trip, and no row becomes an object.
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

from catalog.documents.ordering import ORDERS
from catalog.models import Brand, Product, Sku
from catalog.models.product import Folded, Trigrams

Rows = QuerySet[Any, Any]

COLUMN_TYPES = {"id": "integer", "name": "text"}


class Parameter(Expression):
    """A value that is given when the query is executed, of one of PostgreSQL's types."""

    def __init__(self, name: str, type_name: str) -> None:
        super().__init__(output_field=TextField())
        self.name = name
        self.type_name = type_name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"%s::{self.type_name}", [self]


class IsOneOf(Func):
    """Whether a value is in an array: `value = ANY (array)`."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class Follows(Func):
    """Whether a row comes after another in an order.

    The expressions are the columns of the order, then the other row's values.
    """

    output_field = BooleanField()

    def __init__(self, *expressions: Any, descending: bool) -> None:
        super().__init__(*expressions)
        self.descending = descending

    def as_sql(
        self, compiler: Any, connection: Any, *unused: Any, **context: Any
    ) -> tuple[str, list[Any]]:
        # A comparison of rows lets PostgreSQL start there in the index of both columns.
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
    """Whether an array contains all elements of another: `array @> other`."""

    arg_joiner = " @> "
    template = "%(expressions)s"
    output_field = BooleanField()


class IsWithin(Func):
    """Whether a text contains another: the text, then the other."""

    template = "strpos(%(expressions)s) > 0"
    output_field = BooleanField()


@dataclass(frozen=True, slots=True)
class Query:
    """SQL with placeholders, and the parameter or value of each."""

    sql: str
    parameters: tuple[Any, ...]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The values of the placeholders, in their order."""
        return [
            given[each.name] if isinstance(each, Parameter) else each
            for each in self.parameters
        ]


def compiled(rows: Rows, members: str, around: str, *more: Parameter) -> Query:
    """The query `around`, in which `{rows}` stands for the rows, under the name `row`.

    `members` are the members of each row's JSON, in this order. `more` are the
    parameters of `around` itself.
    """
    sql, parameters = rows.query.get_compiler(connection=connection).as_sql()
    rows_sql = f"(SELECT {members} FROM ({sql}) AS found) AS row"
    return Query(around.format(rows=rows_sql), (*parameters, *more))


def insertion(model: type[Model], names: Sequence[str], members: str) -> Query:
    """A query that inserts many rows, given one array for each of the fields `names`.

    It returns the ID and the document of each row, in order. It fails if it would wait
    for a lock longer than LOCK_MILLISECONDS.
    """
    fields = {each.attname: each for each in model._meta.concrete_fields}
    types = [f"{fields[name].db_type(connection)}[]" for name in names]
    sql = INSERT.format(
        milliseconds=LOCK_MILLISECONDS,
        table=model._meta.db_table,
        columns=", ".join(fields[name].column for name in names),
        arrays=", ".join(f"%s::{each}" for each in types),
        inserted=INSERTED.format(key=model._meta.pk.column, members=members),
    )
    return Query(sql, tuple(map(Parameter, names, types)))


BRAND = "brand_id, brand_name"
PRODUCT = "product_id, product_name, brand_id"
SKU = (
    "sku_id, product_id, product_size_id, product_size_name,"
    " product_color_id, product_color_name"
)

# All rows as one document. json_agg would put line breaks between them.
ARRAY = (
    "SELECT '[' || coalesce(string_agg(row_to_json(row)::text, ','), '') || ']'"
    " FROM {rows}"
)
# The ID and the document of each row.
BY_BRAND = "SELECT brand_id, row_to_json(row)::text FROM {rows}"
BY_PRODUCT = "SELECT product_id, row_to_json(row)::text FROM {rows}"
LISTED_PRODUCT = "product_id, product_name, brand_id, brand_name"
LISTING = "SELECT row.* FROM {rows} LIMIT %s"
# The document of each row, and its position in the order.
PAGE = "SELECT row_to_json(row)::text, product_id, product_name FROM {rows} LIMIT %s"

# The same columns as in BY_BRAND and BY_PRODUCT, of rows that are being inserted.
INSERTED = "{key}, (SELECT row_to_json(row)::text FROM (SELECT {members}) AS row)"
# One long lock, such as that of a transaction that deletes a brand, would hold up all rows
# of the statement. Each part depends on the one before, which fixes their order.
INSERT = """
WITH bounded AS MATERIALIZED (SELECT set_config('lock_timeout', '{milliseconds}', true))
INSERT INTO {table} ({columns})
SELECT row.* FROM bounded, unnest({arrays}) AS row
RETURNING {inserted}
"""
LOCK_MILLISECONDS = 250


def array_of(ids: Iterable[int]) -> str:
    """PostgreSQL's text for an array. Of a list, psycopg would adapt each number."""
    return f"{{{','.join(map(str, ids))}}}"


HAS_ONE_OF_IDS = IsOneOf(F("id"), Parameter("ids", "integer[]"))


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
def all_brands() -> Query:
    return compiled(brand_rows(), BRAND, ARRAY)


@cache
def brands_by_id() -> Query:
    return compiled(brand_rows().filter(HAS_ONE_OF_IDS).order_by(), BRAND, BY_BRAND)


@cache
def products_by_id() -> Query:
    return compiled(
        product_rows().filter(HAS_ONE_OF_IDS).order_by(), PRODUCT, BY_PRODUCT
    )


@cache
def insert_brands() -> Query:
    """Inserts a row for each `name`."""
    return insertion(Brand, ("name",), BRAND)


@cache
def insert_products() -> Query:
    """Inserts a row for each pair of `name` and `brand_id`."""
    return insertion(Product, ("name", "brand_id"), PRODUCT)


@cache
def skus_of_product() -> Query:
    """The SKUs of the product `id`, as one document."""
    of_product = sku_rows().filter(product_id=Parameter("id", "integer"))
    return compiled(of_product, SKU, ARRAY)


LIMIT = Parameter("limit", "bigint")


@cache
def page_of_products(order: str, by_brand: bool, by_name: bool, after: bool) -> Query:
    """`limit` products: of `brand_id`, with `q` in their name, after `name` and `id`."""
    rows = filtered_products(product_rows(), order, by_brand, by_name, after)
    return compiled(rows, PRODUCT, PAGE, LIMIT)


@cache
def listing_of_products(
    order: str, by_brand: bool, by_name: bool, after: bool
) -> Query:
    """The same products as columns, with the names of their brands."""
    rows = product_rows().annotate(brand_name=F("brand__name"))
    rows = filtered_products(rows, order, by_brand, by_name, after)
    return compiled(rows, LISTED_PRODUCT, LISTING, LIMIT)


@cache
def listing_of_brands(by_name: bool, after: bool) -> Query:
    """`limit` brands as columns: with `q` in their name, after `id`."""
    rows = brand_rows()
    if by_name:
        rows = rows.filter(IsWithin(Folded("name"), Folded(Parameter("q", "text"))))
    if after:
        rows = rows.filter(id__gt=Parameter("id", "integer"))
    return compiled(rows, BRAND, LISTING, LIMIT)


def filtered_products(
    rows: Rows, order: str, by_brand: bool, by_name: bool, after: bool
) -> Rows:
    columns = ORDERS[order].columns
    rows = rows.order_by(*columns)
    if by_brand:
        rows = rows.filter(brand_id=Parameter("brand_id", "integer"))
    if by_name:
        q = Parameter("q", "text")
        # The index finds names with all trigrams of q, which need not be in sequence.
        rows = rows.alias(trigrams=Trigrams("name")).filter(
            ContainsAll(F("trigrams"), Trigrams(q)), IsWithin(Folded("name"), Folded(q))
        )
    if after:
        names = [column.removeprefix("-") for column in columns]
        position = [Parameter(name, COLUMN_TYPES[name]) for name in names]
        rows = rows.filter(
            Follows(*map(F, names), *position, descending=columns[0].startswith("-"))
        )
    return rows
