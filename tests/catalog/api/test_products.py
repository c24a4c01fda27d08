"""Reading, creating, changing and deleting products, as in the book and as in REST."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.catalog.conftest import OPEN_TO_ALL
from tests.catalog.loading.test_adoption import BOOK
from tests.support.catalog.databases import manage, new_database
from tests.support.catalog.service import Catalog, Response
from tests.support.site import Site

FORM = "application/x-www-form-urlencoded"
HAMMER = {"product_name": "A hammer", "brand_id": 1}
MAKING = ("/product", "/products")


@pytest.fixture
def brands(catalog: Catalog) -> Catalog:
    catalog.insert("brand", [("Acme",), ("Böse",)])
    return catalog


@pytest.fixture
def hammer(brands: Catalog) -> Response:
    return brands.send("POST", "/products", HAMMER)


@pytest.fixture(scope="module")
def book_s() -> Iterator[Catalog]:
    """A site on the book's own schema, whose foreign keys are checked immediately."""
    with new_database() as database:
        with psycopg.connect(database) as connection:
            connection.execute(BOOK)
        migrated = manage(database, "migrate", "--verbosity=0")
        assert migrated.returncode == 0, migrated.stderr
        with Site(DATABASE_URL=database, **OPEN_TO_ALL) as site:
            yield Catalog(site.url, database)


@pytest.fixture(params=["ours", "the book's"])
def either(request: pytest.FixtureRequest) -> Catalog:
    catalog: Catalog
    if request.param == "ours":
        catalog = request.getfixturevalue("catalog")
    else:
        catalog = request.getfixturevalue("book_s")
        catalog.empty()
    catalog.insert("brand", [("Acme",), ("Böse",)])
    return catalog


# --- The book's operations ---


def test_a_product_has_the_members_of_listing_9_3(
    hammer: Response, catalog: Catalog
) -> None:
    found = catalog.get("/products/1")

    assert found.status == 200
    assert found.headers["Content-Type"] == "application/json"
    assert list(found.json.items()) == [
        ("product_id", 1),
        ("product_name", "A hammer"),
        ("brand_id", 1),
    ]


@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/plain", ""])
def test_the_curl_command_of_listing_9_4_creates_a_product(
    brands: Catalog, content_type: str
) -> None:
    body = b'{"product_name":"a new product", "brand_id": 2}'

    made = brands.send("POST", "/product", body, content_type)

    assert (made.status, made.body) == (201, b"")
    assert made.headers["Content-Type"] is None
    assert made.headers["Location"] == "/products/1"
    assert brands.rows("SELECT * FROM product") == [(1, "a new product", 2)]


def test_the_book_s_route_accepts_what_its_int_accepts_and_ignores_other_members(
    brands: Catalog,
) -> None:
    bodies = [
        {"product_name": "p", "brand_id": " 0002 "},
        {"product_name": "p", "brand_id": "0" * 30 + "2"},
        {"product_name": "p", "brand_id": 2.0, "colour": "red"},
    ]

    statuses = [brands.send("POST", "/product", body).status for body in bodies]

    assert statuses == [201, 201, 201]
    assert brands.rows("SELECT DISTINCT brand_id FROM product") == [(2,)]


# --- The other operations ---


def test_a_product_is_created_and_found_at_its_location(brands: Catalog) -> None:
    made = brands.send("POST", "/products", HAMMER)

    assert (made.status, made.json) == (201, {"product_id": 1, **HAMMER})
    found = brands.get(made.headers["Location"])
    assert (found.status, found.body, found.etag) == (200, made.body, made.etag)


def test_a_product_is_replaced_changed_and_deleted(
    hammer: Response, catalog: Catalog
) -> None:
    whole = {"product_name": "A saw", "brand_id": 2}
    replaced = catalog.send("PUT", "/products/1", whole, If_Match=hammer.etag)
    part = {"brand_id": 1}
    changed = catalog.send("PATCH", "/products/1", part, If_Match=replaced.etag)
    deleted = catalog.send("DELETE", "/products/1", If_Match=changed.etag)

    assert (replaced.status, replaced.json) == (200, {"product_id": 1, **whole})
    assert (changed.status, changed.json) == (200, {**replaced.json, **part})
    assert (deleted.status, deleted.body) == (204, b"")
    assert catalog.get("/products/1").status == 404


def test_a_replacement_has_to_be_complete(hammer: Response, catalog: Catalog) -> None:
    refused = catalog.send("PUT", "/products/1", {"brand_id": 2}, If_Match="*")

    assert refused.status == 400
    assert refused.wrong == {"product_name": ("", "is missing")}
    assert catalog.get("/products/1").body == hammer.body


def test_a_product_s_skus_are_listed_and_deleted_with_it(
    hammer: Response, catalog: Catalog
) -> None:
    catalog.insert("product_size", [("Small",), ("Large",)])
    catalog.insert("product_color", [("Blue",)])
    catalog.insert("product", [("Another", 1)])
    catalog.insert("sku", [(1, 1, 1), (2, 1, 1), (1, 2, 1)])

    listed = catalog.get("/products/1/skus")
    deleted = catalog.send("DELETE", "/products/1", If_Match="*")

    assert listed.json == [
        {
            "sku_id": number,
            "product_id": 1,
            "product_size_id": size,
            "product_size_name": name,
            "product_color_id": 1,
            "product_color_name": "Blue",
        }
        for number, size, name in [(1, 1, "Small"), (3, 2, "Large")]
    ]
    assert deleted.status == 204
    assert catalog.rows("SELECT sku_id FROM sku") == [(2,)]
    assert catalog.get("/products/1/skus").status == 404


def test_a_product_without_skus_has_an_empty_list(
    hammer: Response, catalog: Catalog
) -> None:
    assert catalog.get("/products/1/skus").body == b"[]"


# --- IDs that do not exist or are invalid ---


@pytest.mark.parametrize(
    "number", ["0", "-1", "7", str(2**31 - 1), str(2**31), "9" * 99]
)
def test_an_unknown_id_is_not_found(catalog: Catalog, number: str) -> None:
    answers = [
        catalog.get(f"/products/{number}"),
        catalog.get(f"/products/{number}/skus"),
        catalog.send("PUT", f"/products/{number}", HAMMER, If_Match="*"),
        catalog.send("PATCH", f"/products/{number}", {}, If_Match="*"),
        catalog.send("DELETE", f"/products/{number}", If_Match="*"),
    ]

    assert {each.status for each in answers} == {404}
    assert {each.problem["detail"] for each in answers} == {
        f"There is no product {number}."
    }


@pytest.mark.parametrize("number", ["x", "1.0", "1e3", "0x1", "%00", "9" * 1001])
def test_an_id_that_is_not_an_integer_is_refused(catalog: Catalog, number: str) -> None:
    answers = [
        catalog.get(f"/products/{number}"),
        catalog.get(f"/products/{number}/skus"),
        catalog.send("DELETE", f"/products/{number}", If_Match="*"),
    ]

    assert {each.status for each in answers} == {400}
    for each in answers:
        [(_, right)] = each.wrong.values()
        assert right == "should be an integer, such as 1"


# --- Bad bodies ---

BAD_BODIES = {
    "empty": b"",
    "cut off": b'{"product_name": "x"',
    "no object": b'["product_name", "brand_id"]',
    "null": b"null",
    "not UTF-8": b'{"product_name": "\xff", "brand_id": 1}',
    "UTF-16": json.dumps(HAMMER).encode("utf-16"),
    "a member twice": b'{"product_name": "a", "product_name": "b", "brand_id": 1}',
    "nested deeply": b"[" * 100_000,
    "nested deeply, and closed": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "not a number": b'{"product_name": "x", "brand_id": NaN}',
    "infinite": b'{"product_name": "x", "brand_id": 1e999}',
    "huge": b'{"product_name": "x", "brand_id": ' + b"9" * 100_000 + b"}",
    "past int4": b'{"product_name": "x", "brand_id": 2147483648}',
    "past int8": b'{"product_name": "x", "brand_id": 9223372036854775808}',
    "zero": b'{"product_name": "x", "brand_id": 0}',
    "a fraction": b'{"product_name": "x", "brand_id": 1.5}',
    "true": b'{"product_name": "x", "brand_id": true}',
    "no brand": b'{"product_name": "x", "brand_id": 77}',
    "null brand": b'{"product_name": "x", "brand_id": null}',
    "words": b'{"product_name": "x", "brand_id": "one"}',
    "number for a name": b'{"product_name": 5, "brand_id": 1}',
    "no name": b'{"brand_id": 1}',
    "empty name": b'{"product_name": "", "brand_id": 1}',
    "blank name": b'{"product_name": " \\t\\n\\u00a0\\u2003\\u001f", "brand_id": 1}',
    "NUL": b'{"product_name": "a\\u0000b", "brand_id": 1}',
    "lone surrogate": b'{"product_name": "\\ud800", "brand_id": 1}',
    "501 characters": json.dumps({**HAMMER, "product_name": "x" * 501}).encode(),
}


@pytest.mark.parametrize("path", MAKING)
@pytest.mark.parametrize("what", BAD_BODIES)
def test_an_invalid_body_creates_nothing_and_the_response_says_why(
    brands: Catalog, path: str, what: str
) -> None:
    refused = brands.send("POST", path, BAD_BODIES[what])

    assert refused.status == 400
    assert len(refused.problem["detail"]) < 600
    assert brands.rows("SELECT * FROM product") == []


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"a": 1,}', "The body is not valid: "),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"[" * 10_000, "it is nested too deeply"),
        (b"[1]", 'it should be an object, such as {"brand_name": "Acme"}'),
        (b'{"brand_id": 1, "brand_id": 2}', 'the member "brand_id" is there twice'),
        (b'{"brand_id": -Infinity}', "-Infinity is not a number in JSON"),
        (b'{"brand_id": ' + b"9" * 1001 + b"}", "a number has more than 1,000 digits"),
        (b'{"product_name": "x"}', "brand_id: is missing."),
        (b'{"product_name": "x", "brand_id": 1, "id": 5}', "id: is not known here."),
        (
            b'{"product_name": "x", "brand_id": 77}',
            "brand_id: no brand has this ID.",
        ),
    ],
)
def test_the_response_says_what_is_wrong_with_a_body(
    brands: Catalog, body: bytes, detail: str
) -> None:
    assert detail in brands.send("POST", "/products", body).problem["detail"]


@pytest.mark.parametrize(
    "name", ["x" * 500, "😀" * 500, "a\u001fb", " x ", "'; --", "\ufeff"]
)
@pytest.mark.parametrize("path", MAKING)
def test_an_unusual_name_is_kept_as_sent(brands: Catalog, path: str, name: str) -> None:
    made = brands.send("POST", path, {**HAMMER, "product_name": name})

    assert made.status == 201
    assert brands.get(made.headers["Location"]).json["product_name"] == name


def test_a_byte_order_mark_before_the_body_is_ignored(brands: Catalog) -> None:
    body = json.dumps(HAMMER).encode("utf-8-sig")

    assert brands.send("POST", "/products", body).status == 201


@pytest.mark.parametrize(
    "content_type", [FORM, "text/plain", "multipart/form-data", ""]
)
@pytest.mark.parametrize(
    ("method", "path", "header", "taken"),
    [
        ("POST", "/products", "Accept", "application/json"),
        ("PUT", "/products/1", "Accept", "application/json"),
        (
            "PATCH",
            "/products/1",
            "Accept-Patch",
            "application/json, application/merge-patch+json",
        ),
    ],
)
def test_the_newer_routes_require_json(
    hammer: Response,
    catalog: Catalog,
    content_type: str,
    method: str,
    path: str,
    header: str,
    taken: str,
) -> None:
    refused = catalog.send(method, path, HAMMER, content_type, If_Match="*")

    assert (refused.status, refused.headers[header]) == (415, taken)
    assert (content_type or "missing") in refused.problem["detail"]


@pytest.mark.parametrize("path", MAKING)
def test_a_name_of_ten_megabytes_is_too_large(brands: Catalog, path: str) -> None:
    body = json.dumps({**HAMMER, "product_name": "x" * 10_000_000}).encode()

    refused = brands.send("POST", path, body)

    assert refused.status == 413
    assert "1048576 bytes" in refused.problem["detail"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/product", "OPTIONS, POST"),
        ("/products", "GET, HEAD, OPTIONS, POST"),
        ("/products/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/products/1/skus", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_lists_the_methods_and_others_are_refused(
    hammer: Response, catalog: Catalog, path: str, allowed: str
) -> None:
    options = catalog.send("OPTIONS", path)
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"}
    refused = [catalog.send(each, path) for each in methods - set(allowed.split(", "))]

    assert (options.status, options.headers["Allow"], options.body) == (
        204,
        allowed,
        b"",
    )
    assert {each.status for each in refused} == {405}
    assert {each.headers["Allow"] for each in refused} == {allowed}


# --- Foreign keys, on either database ---


def test_a_product_needs_an_existing_brand(either: Catalog) -> None:
    either.insert("product", [("A hammer", 1)])
    nowhere = {"product_name": "x", "brand_id": 77}

    refused = [
        either.send("POST", "/products", nowhere),
        either.send("POST", "/product", nowhere),
        either.send("PUT", "/products/1", nowhere, If_Match="*"),
        either.send("PATCH", "/products/1", {"brand_id": 77}, If_Match="*"),
    ]

    assert {each.status for each in refused} == {400}
    for each in refused:
        assert each.wrong == {"brand_id": ("77", "no brand has this ID")}
    assert either.rows("SELECT * FROM product") == [(1, "A hammer", 1)]


def test_a_brand_with_products_is_not_deleted_on_either_database(
    either: Catalog,
) -> None:
    either.insert("product", [("A hammer", 1)])

    refused = either.send("DELETE", "/brands/1", If_Match="*")
    deleted = either.send("DELETE", "/brands/2", If_Match="*")

    assert (refused.status, deleted.status) == (409, 204)
    assert either.rows("SELECT brand_id FROM brand") == [(1,)]


def test_a_brand_is_either_deleted_or_gets_a_product(either: Catalog) -> None:
    turns = 20
    either.insert("brand", [(f"Brand {turn}",) for turn in range(turns)])

    def make(brand: int) -> int:
        body = {"product_name": "x", "brand_id": brand}
        return either.send("POST", "/products", body).status

    def delete(brand: int) -> int:
        return either.send("DELETE", f"/brands/{brand}", If_Match="*").status

    with ThreadPoolExecutor(2) as threads:
        ends = [
            (made.result(), deleted.result())
            for made, deleted in [
                (threads.submit(make, brand), threads.submit(delete, brand))
                for brand in range(3, 3 + turns)
            ]
        ]

    assert set(ends) <= {(201, 409), (400, 204)}
    assert (
        either.rows(
            "SELECT * FROM product LEFT JOIN brand USING (brand_id) WHERE brand_name IS NULL"
        )
        == []
    )


def test_of_two_writers_with_the_same_etag_one_wins_and_one_gets_412(
    hammer: Response, catalog: Catalog
) -> None:
    ready = threading.Barrier(2)

    def rename(name: str, etag: str) -> Response:
        change = {"product_name": name, "brand_id": 2}
        ready.wait()
        return catalog.send("PUT", "/products/1", change, If_Match=etag)

    seen = hammer.etag
    with ThreadPoolExecutor(2) as threads:
        for turn in range(20):
            names = [f"{turn} one", f"{turn} two"]
            answers = list(threads.map(rename, names, [seen, seen]))

            assert sorted(each.status for each in answers) == [200, 412]
            [won] = [each for each in answers if each.status == 200]
            now = catalog.get("/products/1")
            assert (now.body, now.etag) == (won.body, won.etag)
            seen = now.etag


def test_a_product_that_is_deleted_while_it_is_changed_is_changed_or_not_found(
    brands: Catalog,
) -> None:
    turns = 20
    brands.insert("product", [("x", 1)] * turns)

    def patch(number: int) -> Any:
        change = {"product_name": "y"}
        return brands.send("PATCH", f"/products/{number}", change, If_Match="*").status

    def delete(number: int) -> Any:
        return brands.send("DELETE", f"/products/{number}", If_Match="*").status

    with ThreadPoolExecutor(2) as threads:
        ends = [
            (patched.result(), deleted.result())
            for patched, deleted in [
                (threads.submit(patch, number), threads.submit(delete, number))
                for number in range(1, 1 + turns)
            ]
        ]

    assert set(ends) <= {(200, 204), (404, 204)}
