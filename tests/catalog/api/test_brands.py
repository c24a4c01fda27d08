"""Reading, creating, changing and deleting brands."""

from urllib.parse import quote, unquote

import pytest

from tests.support.catalog.service import Catalog, Response


@pytest.fixture
def acme(catalog: Catalog) -> Response:
    return catalog.send("POST", "/brands", {"brand_name": "Acme"})


def test_all_brands_are_the_bare_array_of_listing_9_2(catalog: Catalog) -> None:
    catalog.insert("brand", [("Acme",), ("Böse “&” Söhne",)])

    answer = catalog.get("/brands")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == [
        {"brand_id": 1, "brand_name": "Acme"},
        {"brand_id": 2, "brand_name": "Böse “&” Söhne"},
    ]


def test_without_brands_the_array_is_empty(catalog: Catalog) -> None:
    assert catalog.get("/brands").body == b"[]"


def test_brands_are_sorted_by_id_after_any_changes(
    catalog: Catalog,
) -> None:
    catalog.insert("brand", [("C",), ("B",), ("A",)])
    catalog.execute("UPDATE brand SET brand_name = 'Z' WHERE brand_id = 1")

    brands = catalog.get("/brands").json

    assert [each["brand_id"] for each in brands] == [1, 2, 3]


def test_a_brand_is_created_and_found_at_its_location(catalog: Catalog) -> None:
    made = catalog.send("POST", "/brands", {"brand_name": "Acme"})

    assert made.status == 201
    assert made.json == {"brand_id": 1, "brand_name": "Acme"}
    assert made.headers["Location"] == "/brands/1"
    found = catalog.get(made.headers["Location"])
    assert (found.status, found.body, found.etag) == (200, made.body, made.etag)


def test_a_brand_is_replaced_changed_and_deleted(
    catalog: Catalog, acme: Response
) -> None:
    replaced = catalog.send("PUT", "/brands/1", {"brand_name": "B"}, If_Match=acme.etag)
    changed = catalog.send(
        "PATCH", "/brands/1", {"brand_name": "C"}, If_Match=replaced.etag
    )
    deleted = catalog.send("DELETE", "/brands/1", If_Match=changed.etag)

    assert (replaced.status, replaced.json["brand_name"]) == (200, "B")
    assert (changed.status, changed.json["brand_name"]) == (200, "C")
    assert (deleted.status, deleted.body) == (204, b"")
    assert deleted.headers["Content-Type"] is None
    assert catalog.get("/brands/1").status == 404
    assert catalog.get("/brands").json == []


def test_an_empty_change_changes_nothing(catalog: Catalog, acme: Response) -> None:
    changed = catalog.send("PATCH", "/brands/1", {}, If_Match=acme.etag)

    assert (changed.status, changed.body, changed.etag) == (200, acme.body, acme.etag)


@pytest.mark.parametrize("content_type", ["application/merge-patch+json"])
def test_a_change_may_be_a_merge_patch(
    catalog: Catalog, acme: Response, content_type: str
) -> None:
    patch = {"brand_name": "B"}

    changed = catalog.send("PATCH", "/brands/1", patch, content_type, If_Match="*")
    replaced = catalog.send("PUT", "/brands/1", patch, content_type, If_Match="*")

    assert (changed.status, changed.json["brand_name"]) == (200, "B")
    assert replaced.status == 415


def test_a_brand_with_products_is_not_deleted(catalog: Catalog, acme: Response) -> None:
    catalog.insert("product", [("A hammer", 1)])

    refused = catalog.send("DELETE", "/brands/1", If_Match=acme.etag)

    assert refused.status == 409
    assert refused.problem["detail"] == (
        "The brand 1 still has products: move or delete them first."
    )
    assert catalog.get("/brands/1").status == catalog.get("/products/1").status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_changing_a_brand_requires_its_etag(
    catalog: Catalog, acme: Response, method: str
) -> None:
    body = None if method == "DELETE" else {"brand_name": "B"}

    unseen = catalog.send(method, "/brands/1", body)
    seen_otherwise = catalog.send(method, "/brands/1", body, If_Match='"other"')

    assert (unseen.status, seen_otherwise.status) == (428, 412)
    assert "If-Match is missing" in unseen.problem["detail"]
    assert acme.etag in seen_otherwise.problem["detail"]
    assert seen_otherwise.etag == acme.etag
    assert catalog.get("/brands/1").body == acme.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("number", ["0", "-1", "7", str(2**31), "9" * 30])
def test_a_brand_that_does_not_exist_is_not_found(
    catalog: Catalog, method: str, number: str
) -> None:
    body = {"brand_name": "B"} if method in {"PUT", "PATCH"} else None

    answer = catalog.send(method, f"/brands/{number}", body, If_Match="*")

    assert answer.status == 404
    if method != "HEAD":
        assert answer.problem["detail"] == f"There is no brand {number}."


@pytest.mark.parametrize("path", ["/brands/{}", "/brands/{}/products"])
@pytest.mark.parametrize("number", ["x", "1.5", "1_0", "%00", "1%20", "٣"])
def test_an_id_that_is_not_an_integer_is_refused(
    catalog: Catalog, path: str, number: str
) -> None:
    answer = catalog.get(path.format(quote(number, safe="%")))

    assert answer.status == 400
    assert answer.wrong == {
        "brand_id": (unquote(number), "should be an integer, such as 1")
    }


def test_the_products_of_a_brand_are_paged(catalog: Catalog) -> None:
    catalog.insert("brand", [("A",), ("B",), ("C",)])
    catalog.insert("product", [(f"P{n}", 1 + n % 2) for n in range(6)])

    first = catalog.get("/brands/2/products?limit=2")
    following = first.link("next")
    assert following and following.startswith("/brands/2/products?")
    second = catalog.get(following)

    numbers = [each["product_id"] for each in [*first.json, *second.json]]
    assert numbers == [2, 4, 6]
    assert {each["brand_id"] for each in first.json} == {2}
    assert second.link("next") is None
    assert catalog.get("/brands/3/products").body == b"[]"
    assert catalog.get("/brands/4/products").status == 404


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/brands", "GET, HEAD, OPTIONS, POST"),
        ("/brands/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/brands/1/products", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_lists_the_methods_and_others_are_refused(
    catalog: Catalog, acme: Response, path: str, allowed: str
) -> None:
    options = catalog.send("OPTIONS", path)
    refused = [catalog.send(method, path) for method in ("TRACE", "PROPFIND")]

    assert (options.status, options.headers["Allow"], options.body) == (
        204,
        allowed,
        b"",
    )
    for each in refused:
        assert (each.status, each.headers["Allow"]) == (405, allowed)
        assert allowed in each.problem["detail"]


@pytest.mark.parametrize("path", ["/brands", "/brands/1", "/brands/1/products"])
def test_head_is_get_without_the_body(
    catalog: Catalog, acme: Response, path: str
) -> None:
    get, head = catalog.get(path), catalog.send("HEAD", path)

    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Link"):
        assert head.headers[name] == get.headers[name]


def test_a_constraint_that_only_this_database_has_is_a_bad_request(
    catalog: Catalog,
) -> None:
    catalog.execute("ALTER TABLE brand ADD CONSTRAINT short CHECK (brand_name < 'C')")
    try:
        refused = catalog.send("POST", "/brands", {"brand_name": "Zeta"})
    finally:
        catalog.execute("ALTER TABLE brand DROP CONSTRAINT short")

    assert refused.status == 400
    assert refused.problem["detail"] == "The database's rule short refuses this."
