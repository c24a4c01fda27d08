"""Pages of products: complete and in order whatever happens meanwhile, and all equally fast."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg import sql

from catalog.documents.ordering import ORDERS
from catalog.documents.queries import page_of_products
from catalog.reading.pagination import DEFAULT_LIMIT, MAX_LIMIT
from tests.support.catalog.databases import new_database
from tests.support.catalog.service import Catalog, Response

MANY = 60_000
PAGE_OF_FIVE = 6  # One row more shows whether there is a next page.


def walk(catalog: Catalog, path: str) -> Iterator[Response]:
    """All pages from this one on, by their Link headers."""
    onward: str | None = path
    while onward:
        answer = catalog.get(onward)
        assert answer.status == 200, answer.body
        yield answer
        onward = answer.link("next")


def ids(*pages: Response) -> list[int]:
    return [row["product_id"] for page in pages for row in page.json]


def order_of(rows: list[dict[str, Any]], order: str) -> list[int]:
    """Sorted by Python: by code points, like PostgreSQL's C collation."""
    key = order.removeprefix("-")
    ordered = sorted(
        rows,
        key=lambda row: (row[key], row["product_id"]),
        reverse=order.startswith("-"),
    )
    return [row["product_id"] for row in ordered]


@pytest.fixture
def shop(catalog: Catalog) -> Catalog:
    """Two brands and 47 products, many of which have the same name."""
    catalog.insert("brand", [("Acme",), ("Böse",)])
    names = ("A hammer", "a hammer", "Zange", "Äxte", "a,b", 'say "no"', "")
    catalog.insert(
        "product", [((names[n % 6] + " ") * (1 + n % 2), 1 + n % 2) for n in range(47)]
    )
    return catalog


# --- Following links ---


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 7, 46, 47, 100])
def test_all_pages_have_each_row_once_and_in_order(
    shop: Catalog, order: str, limit: int
) -> None:
    every = shop.get("/products?limit=100").json

    pages = list(walk(shop, f"/products?order={order}&limit={limit}"))

    assert ids(*pages) == order_of(every, order)
    assert len(pages) == -(-47 // limit)
    assert {len(page.json) for page in pages[:-1]} <= {limit}


@pytest.mark.parametrize("order", ORDERS)
def test_inserted_and_deleted_rows_cause_no_gaps_and_no_duplicates(
    shop: Catalog, order: str
) -> None:
    stay = {number for number in range(1, 48) if number % 5}
    seen: list[int] = []

    for page in walk(shop, f"/products?order={order}&limit=4"):
        seen += ids(page)
        # The row that the cursor names, one that was seen, one that was not, and new ones.
        gone = {seen[-1], *range(5, 48, 5)} - stay
        shop.execute(f"DELETE FROM product WHERE product_id IN {(0, 0, *gone)}")
        if len(seen) < 60:
            shop.insert("product", [("A hammer", 1), ("", 2), ("zz", 1)][::2])

    assert len(seen) == len(set(seen))
    assert stay <= set(seen)


def test_a_cursor_works_even_if_its_row_was_deleted(shop: Catalog) -> None:
    first = shop.get("/products?limit=3")
    shop.execute("DELETE FROM product WHERE product_id IN (2, 3)")

    following = first.link("next")

    assert following
    assert ids(shop.get(following))[0] == 4


def test_a_link_keeps_the_query_parameters(shop: Catalog) -> None:
    asked = {"limit": "2", "order": "-product_name", "brand_id": "1", "q": "ham mer&"}
    shop.insert("product", [("ham mer& tongs", 1)] * 3)

    page = shop.get(f"/products?{urlencode(asked)}")

    first, following = page.link("first"), page.link("next")
    assert first and following
    assert shop.get(first).body == page.body
    for name, value in asked.items():
        assert urlencode({name: value}) in first
        assert urlencode({name: value}) in following
    assert ids(page, shop.get(following)) == [50, 49, 48]


def test_the_default_page_and_the_largest(shop: Catalog) -> None:
    shop.insert("product", [("more", 1)] * MAX_LIMIT)

    assert len(shop.get("/products").json) == DEFAULT_LIMIT
    for limit in (MAX_LIMIT, MAX_LIMIT + 1, 10**30):
        assert len(shop.get(f"/products?limit={limit}").json) == MAX_LIMIT


def test_an_empty_list_is_one_page(catalog: Catalog) -> None:
    page = catalog.get("/products")

    assert (page.body, page.link("next")) == (b"[]", None)
    assert page.link("first") == "/products"


# --- Cursors ---


def cursor_saying(content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


TAMPERED = [
    "x",
    "====",
    "\0",
    "ä",
    "W10",
    "a" * 5000,
    cursor_saying(b"\xff"),
    cursor_saying(b"["),
    cursor_saying(b"[" * 100_000)[:8000],
    cursor_saying({}),
    cursor_saying(["product_id", 1]),
    cursor_saying(["product_id", 1, "x", 2]),
    cursor_saying(["product_id", "1", "x"]),
    cursor_saying(["product_id", 1, None]),
    cursor_saying(["product_id", 0, "x"]),
    cursor_saying(["product_id", 2**31, "x"]),
    cursor_saying(["product_id", 1.5, "x"]),
    cursor_saying(["product_id", 1, "a\0b"]),
    cursor_saying(["product_id", 1, "\ud800"]),
    cursor_saying(b'["product_id", ' + b"9" * 5000 + b', "x"]'),
    cursor_saying(["name; DROP TABLE product", 1, "x"]),
]


@pytest.mark.parametrize("order", ["product_id", "product_name"])
@pytest.mark.parametrize("cursor", TAMPERED)
def test_an_invalid_cursor_is_refused(shop: Catalog, cursor: str, order: str) -> None:
    refused = shop.get(f"/products?order={order}&cursor={quote(cursor)}")

    assert refused.status == 400
    [(_, right)] = refused.wrong.values()
    assert "cursor" in refused.wrong
    assert "cursor" in right or "order" in right


def test_a_cursor_of_another_order_is_refused_with_the_order_it_was_made_for(
    shop: Catalog,
) -> None:
    following = shop.get("/products?limit=2&order=product_name").link("next")
    assert following

    refused = shop.get(following.replace("order=product_name", "order=product_id"))

    assert refused.status == 400
    assert "send order=product_name" in refused.problem["detail"]


# --- Filters ---


def test_a_brand_s_products_alone_are_shown(shop: Catalog) -> None:
    pages = list(walk(shop, "/products?brand_id=2&limit=10"))

    assert ids(*pages) == list(range(2, 48, 2))


@pytest.mark.parametrize("number", ["0", "-1", "77", str(2**31), "9" * 30])
def test_a_brand_that_does_not_exist_has_no_products(
    shop: Catalog, number: str
) -> None:
    assert shop.get(f"/products?brand_id={number}").body == b"[]"


NAMES = [
    "Plain hammer",
    "HAMMERSTEIN",
    "100% cotton_bag",
    "100 percent cottonXbag",
    'it\'s "quoted" \\ back',
    "Größe ÄÖÜ straße",
    "日本語の名前",
    "ABCxBCD",
    "İstanbul",
]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("hammer", [1, 2]),
        ("HaMmEr", [1, 2]),
        ("mers", [2]),
        ("100%", [3]),
        ("n_b", [3]),
        ("it's", [5]),
        ('"quoted"', [5]),
        ("\\ b", [5]),
        ("größe", [6]),
        ("GRÖSSE", [6]),
        ("äöü", [6]),
        ("ÄÖÜ S", [6]),
        ("日本語", [7]),
        # A name that has all its trigrams, but not the text.
        ("abcd", []),
        ("   ", []),
        ("%%%", []),
        ("' OR 1=1 --", []),
    ],
)
def test_a_search_finds_names_that_have_the_text_in_them(
    catalog: Catalog, q: str, found: list[int]
) -> None:
    catalog.insert("brand", [("Acme",)])
    catalog.insert("product", [(name, 1) for name in NAMES])

    assert ids(catalog.get(f"/products?{urlencode({'q': q})}")) == found


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_found_by_itself_in_any_case(catalog: Catalog, name: str) -> None:
    catalog.insert("brand", [("Acme",)])
    catalog.insert("product", [(name, 1)])

    for q in (name, name[1:-1], name[:3]):
        assert ids(catalog.get(f"/products?{urlencode({'q': q})}")) == [1], q


def test_filters_and_orders_combine(shop: Catalog) -> None:
    pages = list(walk(shop, "/products?q=HAM&brand_id=2&order=-product_name&limit=3"))

    rows = shop.rows(
        "SELECT product_id FROM product WHERE brand_id = 2"
        " AND product_name ILIKE '%ham%' ORDER BY product_name DESC, product_id DESC"
    )
    assert ids(*pages) == [number for (number,) in rows] != []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("order=price", "order"),
        ("order=", "order"),
        ("q=ab", "q"),
        ("q=", "q"),
        ("q=a%00b", "q"),
        ("q=" + "x" * 501, "q"),
        ("brand_id=x", "brand_id"),
        ("brand_id=", "brand_id"),
        ("page=2", "page"),
        ("Limit=2", "Limit"),
        ("%00=2", "\0"),
    ],
)
@pytest.mark.parametrize("path", ["/products", "/brands/1/products"])
def test_an_invalid_parameter_is_refused_by_name(
    shop: Catalog, path: str, query: str, field: str
) -> None:
    refused = shop.get(f"{path}?{query}")

    assert refused.status == 400
    assert list(refused.wrong) == [field]


# --- Speed ---


@pytest.fixture(scope="module")
def large(migrated: str) -> Iterator[psycopg.Connection]:
    with new_database(migrated) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO brand SELECT n, 'brand ' || n FROM generate_series(1, 100) AS n"
            )
            connection.execute(
                "INSERT INTO product SELECT n, substr(md5(n::text), 1, 12), 1 + n % 100"
                f" FROM generate_series(1, {MANY}) AS n"
            )
            connection.execute("VACUUM ANALYZE product")
            yield connection


def plan(connection: psycopg.Connection, **asked: Any) -> dict[str, Any]:
    """The plan of a page's query once it is a prepared statement, as in a worker's pool."""
    given = {
        "limit": PAGE_OF_FIVE,
        "brand_id": None,
        "q": None,
        "id": None,
        "name": None,
    }
    given |= asked
    question = page_of_products(
        given.pop("order", "product_id"),
        by_brand=given["brand_id"] is not None,
        by_name=given["q"] is not None,
        after=given["id"] is not None,
    )
    values = question.values(given)
    with psycopg.connect(connection.info.dsn, autocommit=True) as fresh:
        for _ in range(12):
            fresh.execute(question.sql, values, prepare=True)
        prepared = fresh.execute("SELECT name FROM pg_prepared_statements").fetchone()
        assert prepared
        [[explained]] = fresh.execute(
            sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {}({})").format(
                sql.Identifier(prepared[0]),
                sql.SQL(", ").join(map(sql.Literal, values)),
            )
        ).fetchall()
    found: dict[str, Any] = explained[0]["Plan"]
    return found


def indexes(node: dict[str, Any]) -> set[str]:
    here = {node["Index Name"]} if "Index Name" in node else set()
    return here.union(*map(indexes, node.get("Plans", [])))


def buffers(node: dict[str, Any]) -> int:
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "product_pkey"),
        ({"order": "-product_id"}, "product_pkey"),
        ({"order": "product_name"}, "product_name_id"),
        ({"order": "-product_name"}, "product_name_id"),
        ({"brand_id": 7}, "product_brand_id"),
        ({"brand_id": 7, "order": "-product_id"}, "product_brand_id"),
        ({"q": "c4ca42"}, "product_name_trigrams"),
        ({"q": "c4ca42", "order": "product_name"}, "product_name_trigrams"),
        ({"q": "STRAẞE ΌΣ"}, "product_name_trigrams"),
    ],
)
@pytest.mark.parametrize("onward", [False, True])
def test_each_order_and_filter_has_its_index(
    large: psycopg.Connection, asked: dict[str, Any], index: str, onward: bool
) -> None:
    place = {"id": MANY // 2, "name": "7"} if onward else {}

    explained = plan(large, **asked, **place)

    assert indexes(explained) == {index}
    assert buffers(explained) < 100


@pytest.mark.django_db
@pytest.mark.parametrize("order", ORDERS)
def test_page_10_000_reads_no_more_than_page_1(
    large: psycopg.Connection, order: str
) -> None:
    column = order.removeprefix("-")
    direction = "DESC" if order.startswith("-") else "ASC"
    row = large.execute(
        f"SELECT product_id, product_name FROM product ORDER BY {column} {direction},"
        f" product_id {direction} OFFSET {10_000 * 5 - 1} LIMIT 1"
    ).fetchone()
    assert row

    first = plan(large, order=order)
    ten_thousandth = plan(large, order=order, id=row[0], name=row[1])

    assert ten_thousandth["Actual Rows"] == first["Actual Rows"] == PAGE_OF_FIVE
    # One block more if the page's rows span two blocks.
    assert buffers(ten_thousandth) <= buffers(first) + 2
