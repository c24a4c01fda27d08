"""Entity tags: 304 for a current copy, 412 for an outdated one."""

import re

import pytest

from tests.support.catalog.service import Catalog, Response

PATHS = [
    "/brands",
    "/brands/1",
    "/brands/1/products",
    "/products",
    "/products/1",
    "/products/1/skus",
    "/openapi.json",
]


@pytest.fixture
def shop(catalog: Catalog) -> Catalog:
    catalog.insert("brand", [("Acme",), ("Böse",)])
    catalog.insert("product", [("A hammer", 1), ("A saw", 1)])
    catalog.insert("product_size", [("Small",)])
    catalog.insert("product_color", [("Blue",)])
    catalog.insert("sku", [(1, 1, 1)])
    return catalog


@pytest.mark.parametrize("path", PATHS)
def test_an_etag_is_strong_and_unchanged_while_the_document_is(
    shop: Catalog, path: str
) -> None:
    answers = [shop.get(path) for _ in range(3)]

    assert len({each.etag for each in answers}) == 1
    assert re.fullmatch(r'"[0-9a-f]{24}"', answers[0].etag)


@pytest.mark.parametrize("path", PATHS[:-1])
def test_another_document_has_another_etag(shop: Catalog, path: str) -> None:
    before = shop.get(path)
    shop.execute("UPDATE brand SET brand_name = brand_name || '!'")
    shop.execute("UPDATE product SET product_name = product_name || '!'")
    shop.execute("UPDATE product_size SET product_size_name = 'S'")

    after = shop.get(path, If_None_Match=before.etag)

    assert after.status == 200
    assert after.etag != before.etag


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "given", ["{}", "W/{}", '"other", {}', '"a,b",W/{} , "c"', "*"]
)
def test_a_client_with_a_current_copy_gets_no_body(
    shop: Catalog, path: str, method: str, given: str
) -> None:
    whole = shop.get(path)

    answer = shop.send(method, path, If_None_Match=given.format(whole.etag))

    assert (answer.status, answer.body) == (304, b"")
    assert answer.etag == whole.etag
    assert answer.headers["Content-Type"] is None
    for name in ("Cache-Control", "Link"):
        assert answer.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    "given", ['"other"', 'W/"other"', "", "{bare}", '"{bare}', "junk,", '"*"']
)
def test_a_client_with_another_copy_gets_the_whole_document(
    shop: Catalog, given: str
) -> None:
    whole = shop.get("/products/1")
    bare = whole.etag.strip('"')

    answer = shop.get("/products/1", If_None_Match=given.replace("{bare}", bare))

    assert (answer.status, answer.body) == (200, whole.body)


def test_a_missing_row_is_not_found_in_spite_of_if_none_match(shop: Catalog) -> None:
    assert shop.get("/products/77", If_None_Match="*").status == 404


@pytest.mark.parametrize("path", PATHS)
def test_caches_have_to_revalidate(shop: Catalog, path: str) -> None:
    assert shop.get(path).headers["Cache-Control"] == "no-cache"


def test_a_304_has_the_current_links_of_its_page(shop: Catalog) -> None:
    known = shop.get("/products?limit=2")
    shop.insert("product", [("Another", 2)])

    answer = shop.get("/products?limit=2", If_None_Match=known.etag)

    assert answer.status == 304
    assert known.link("next") is None
    assert answer.link("next")


def versions(shop: Catalog, path: str, name: str) -> list[Response]:
    """The response to the writer, and the response to a reader after that."""
    other = {"brand_id": 1} if path == "/products" else {}
    answers = []
    made = shop.send("POST", path, {name: "Eine Größe “😀” \\ \t", **other})
    where = made.headers["Location"]
    answers += [made, shop.get(where)]
    answers += [
        shop.send("PUT", where, {name: "B", **other}, If_Match=made.etag),
        shop.get(where),
    ]
    answers += [
        shop.send("PATCH", where, {name: "C"}, If_Match=answers[-1].etag),
        shop.get(where),
    ]
    return answers


@pytest.mark.parametrize(
    ("path", "name"), [("/brands", "brand_name"), ("/products", "product_name")]
)
def test_a_writer_gets_the_same_etag_as_readers(
    shop: Catalog, path: str, name: str
) -> None:
    answers = versions(shop, path, name)

    assert [each.status for each in answers] == [201, 200, 200, 200, 200, 200]
    for written, read in zip(answers[::2], answers[1::2], strict=True):
        assert (written.body, written.etag) == (read.body, read.etag)
    assert len({each.etag for each in answers}) == 3


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("{}", 200),
        ("*", 200),
        ('"other", {}', 200),
        ("W/{}", 412),
        ('"other"', 412),
        ("", 412),
        ("junk", 412),
        ("x" * 3000, 412),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_requires_the_current_etag(
    shop: Catalog, method: str, given: str, status: int
) -> None:
    seen = shop.get("/products/2")
    body = None if method == "DELETE" else {"product_name": "New", "brand_id": 2}

    answer = shop.send(method, "/products/2", body, If_Match=given.format(seen.etag))

    assert answer.status == (204 if status == 200 and method == "DELETE" else status)
    if status == 412:
        assert answer.etag == seen.etag
        assert len(answer.problem["detail"]) < 400
        assert shop.get("/products/2").body == seen.body


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "status"),
    [
        ("{}", "*", 412),
        ("*", "*", 412),
        ("{}", "{}", 412),
        ("{}", "W/{}", 412),
        ("*", '"other", {}', 412),
        ('"other"', '"other"', 412),
        ("{}", '"other"', 200),
        ("{}", "junk", 200),
        # An error for another reason takes precedence.
        (None, "*", 428),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_may_exclude_the_current_etag(
    shop: Catalog, method: str, if_match: str | None, if_none_match: str, status: int
) -> None:
    seen = shop.get("/products/2")
    body = None if method == "DELETE" else {"product_name": "New", "brand_id": 2}
    headers = {"If_None_Match": if_none_match.format(seen.etag)}
    if if_match is not None:
        headers["If_Match"] = if_match.format(seen.etag)

    answer = shop.send(method, "/products/2", body, **headers)

    assert answer.status == (204 if status == 200 and method == "DELETE" else status)
    if status == 412:
        assert answer.etag == seen.etag
    if status != 200:
        assert shop.get("/products/2").body == seen.body


def test_a_missing_row_is_not_found_whatever_is_excluded(shop: Catalog) -> None:
    answer = shop.send("DELETE", "/products/77", If_Match="*", If_None_Match="*")

    assert answer.status == 404


def test_a_concurrent_change_is_not_overwritten(shop: Catalog) -> None:
    seen = shop.get("/products/1")
    shop.execute("UPDATE product SET brand_id = 2 WHERE product_id = 1")

    lost = shop.send("PATCH", "/products/1", {"product_name": "X"}, If_Match=seen.etag)

    assert lost.status == 412
    assert shop.rows(
        "SELECT product_name, brand_id FROM product WHERE product_id = 1"
    ) == [("A hammer", 2)]
    assert shop.get("/products/1").etag == lost.etag
