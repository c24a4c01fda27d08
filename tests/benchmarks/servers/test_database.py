"""All peers find the same catalog in every round."""

from typing import LiteralString

import psycopg

from benchmarks.servers.database import PRODUCTS, Database
from benchmarks.servers.peers import CURSOR_10_000
from catalog.documents.ordering import DEFAULT_ORDER
from catalog.loading.example import BRANDS
from catalog.reading.pagination import Position, cursor_of

ROWS_OF_A_PAGE = 10


def number(database: Database, sql: LiteralString) -> int:
    with psycopg.connect(database.url) as connection:
        found = connection.execute(sql).fetchone()
        assert found
        return int(found[0])


def test_it_has_the_book_s_brands_and_a_next_page_after_page_10_000(
    database: Database,
) -> None:
    assert number(database, "SELECT count(*) FROM brand") == BRANDS
    assert number(database, "SELECT count(*) FROM product") == database.products
    assert PRODUCTS > database.products > 10_000 * ROWS_OF_A_PAGE


def test_page_10_000_begins_where_9_999_pages_end() -> None:
    assert CURSOR_10_000 == cursor_of(
        DEFAULT_ORDER, Position(9_999 * ROWS_OF_A_PAGE, "")
    )


def test_only_products_that_were_created_are_deleted(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO product (product_name, brand_id) VALUES ('A hammer', 1)"
        )

    database.restore()

    assert number(database, "SELECT count(*) FROM product") == database.products
    assert number(database, "SELECT max(product_id) FROM product") == database.products


def test_autovacuum_is_off(database: Database) -> None:
    off = (
        "SELECT count(*) FROM pg_settings WHERE (name, setting) = ('autovacuum', 'off')"
    )

    assert number(database, off) == 1


def test_the_cpu_of_postgresql_includes_open_and_closed_connections(
    database: Database,
) -> None:
    before = database.cpu_seconds()
    with psycopg.connect(database.url) as connection:
        connection.execute("SELECT sum(n) FROM generate_series(1, 2000000) AS n")
        while_open = database.cpu_seconds()

    assert while_open >= before + 0.05
    assert database.cpu_seconds() >= while_open
