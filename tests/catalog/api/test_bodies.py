"""Request bodies: the time to parse them, and the errors that they get."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from catalog.api.bodies import parse_object
from tests.support.catalog.service import Catalog
from tests.support.growth import assert_grows_no_faster_than_its_input


def parsed(body: bytes) -> None:
    with suppress(ValueError):
        parse_object(body)


def repeated_last(size: int) -> bytes:
    names = [f'"{number}":0' for number in range(size // 8)]
    return ("{" + ",".join([*names, names[-1]]) + "}").encode()


def repeated_first(size: int) -> bytes:
    names = [f'"{number}":0' for number in range(size // 8)]
    return ("{" + ",".join([*names, names[0]]) + "}").encode()


def each_twice(size: int) -> bytes:
    names = [f'"{number}":0' for number in range(size // 16)]
    return ("{" + ",".join([*names, *reversed(names)]) + "}").encode()


def deep(size: int) -> bytes:
    return b'{"a":' * (size // 6) + b"0" + b"}" * (size // 6)


def deep_list(size: int) -> bytes:
    return b"[" * (size // 2) + b"]" * (size // 2)


def long_number(size: int) -> bytes:
    return b'{"brand_id":' + b"9" * size + b"}"


def long_fraction(size: int) -> bytes:
    return b'{"brand_id":0.' + b"9" * size + b"}"


def many_numbers(size: int) -> bytes:
    return b'{"a":[' + b",".join([b"9" * 1000] * (size // 1000 + 1)) + b"]}"


def long_text(size: int) -> bytes:
    return b'{"a":"' + rb"\u00e9" * (size // 6) + b'"}'


def objects(size: int) -> bytes:
    return b'{"a":[' + b",".join([b'{"b":0,"b":0}'] * (size // 14 + 1)) + b"]}"


@pytest.mark.parametrize(
    "body_of",
    [
        repeated_last,
        repeated_first,
        each_twice,
        deep,
        deep_list,
        long_number,
        long_fraction,
        many_numbers,
        long_text,
        objects,
    ],
)
def test_the_time_to_read_a_body_grows_no_faster_than_the_body(
    body_of: Callable[[int], bytes],
) -> None:
    assert_grows_no_faster_than_its_input(body_of, parsed, 800_000)


def test_a_repeated_member_is_named() -> None:
    with pytest.raises(ValueError, match='the member "b" is there twice'):
        parse_object(b'{"a": 1, "b": 1, "c": 1, "b": 1, "a": 1}')


MANY = {f"x{number}": 1 for number in range(50_000)}


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("POST", "/products", {"product_name": "x", "brand_id": 1}),
        ("POST", "/brands", {"brand_name": "x"}),
        ("PUT", "/products/1", {"product_name": "x", "brand_id": 1}),
        ("PATCH", "/brands/1", {}),
    ],
)
def test_of_many_unknown_members_the_first_are_listed_and_all_counted(
    catalog: Catalog, method: str, path: str, known: dict[str, object]
) -> None:
    refused = catalog.send(method, path, known | MANY)

    assert refused.status == 400
    assert len(refused.body) < 6000
    assert list(refused.wrong) == [f"x{number}" for number in range(20)]
    assert "50,000 values are wrong" in refused.problem["detail"]


def test_a_few_unknown_members_are_listed_with_the_other_errors(
    catalog: Catalog,
) -> None:
    refused = catalog.send("POST", "/products", {"colour": "red", "brand_id": "x"})

    assert refused.wrong == {
        "product_name": ("", "is missing"),
        "brand_id": ("x", "should be an integer"),
        "colour": ("red", "is not known here"),
    }


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize(
    "body",
    [
        rb'{"product_name": "\ud800", "brand_id": 1}',
        rb'{"product_name": "x", "brand_id": "\udfff"}',
        rb'{"product_name": "x", "brand_id": 1, "\ud800": "\ud800"}',
        b'{"product_name": "x", "brand_id": 1, "' + b"n" * 90_000 + b'": 1}',
        b'{"product_name": "x", "brand_id": 1e999}',
        b'{"product_name": ' + b"[" * 200 + b"]" * 200 + b', "brand_id": 1}',
    ],
)
def test_a_value_that_cannot_be_repeated_is_a_bad_request_too(
    catalog: Catalog, body: bytes, accept: str
) -> None:
    refused = catalog.send("POST", "/products", body, Accept=accept)

    assert refused.status == 400
    assert len(refused.body) < 6000


# One for each kind of error that the API's schemas can report.
@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"product_name": 1, "brand_id": 1}, "should be text"),
        ({"product_name": None, "brand_id": 1}, "should be text"),
        ({"product_name": "", "brand_id": 1}, "should have 1 character or more"),
        (
            {"product_name": "x" * 501, "brand_id": 1},
            "should have 500 characters or fewer",
        ),
        ({"product_name": " ", "brand_id": 1}, "should not be blank"),
        ({"product_name": "x", "brand_id": "one"}, "should be an integer"),
        ({"product_name": "x", "brand_id": 1.5}, "should be an integer"),
        ({"product_name": "x", "brand_id": True}, "should be an integer"),
        ({"product_name": "x", "brand_id": 0}, "should be 1 or more"),
        ({"product_name": "x", "brand_id": 2**31}, "should be 2147483647 or less"),
        ({"product_name": "x"}, "is missing"),
    ],
)
@pytest.mark.parametrize("path", ["/products", "/product"])
def test_errors_in_a_body_have_the_site_s_own_messages(
    catalog: Catalog, path: str, document: object, message: str
) -> None:
    refused = catalog.send("POST", path, document)

    [(_, said)] = refused.wrong.values()
    assert said == message
    assert refused.problem["detail"].endswith(f": {message}.")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=x", "should be an integer"),
        ("limit=0", "should be 1 or more"),
        (
            "order=price",
            "should be product_id, -product_id, product_name or -product_name",
        ),
        ("q=" + "x" * 501, "should have 500 characters or fewer"),
        ("q=ab", "should have 3 characters or more, after its case is folded"),
        ("limt=5", "This is not a parameter here: did you mean limit?"),
        (
            "fields=x",
            "This is not a parameter here: it takes limit, cursor, order, q and brand_id.",
        ),
    ],
)
def test_errors_in_a_query_have_the_same_messages(
    catalog: Catalog, query: str, message: str
) -> None:
    refused = catalog.get(f"/products?{query}")

    [(_, said)] = refused.wrong.values()
    assert said == message


@pytest.mark.parametrize(
    "path", ["/products/1", "/products/1/skus", "/brands", "/brands/1"]
)
def test_a_parameter_is_refused_if_the_route_has_none(
    catalog: Catalog, path: str
) -> None:
    refused = catalog.get(f"{path}?fields=x")

    assert refused.wrong == {
        "fields": ("x", "This is not a parameter here: it takes none.")
    }
    assert json.loads(refused.body)["detail"].startswith("fields: ")


def test_of_many_unknown_parameters_the_first_are_listed(catalog: Catalog) -> None:
    refused = catalog.get("/products?" + "&".join(f"x{n}" for n in range(900)))

    assert len(refused.wrong) == 20
    assert "880 more are wrong too" in refused.problem["detail"]


def test_a_parameter_that_is_repeated_is_refused(catalog: Catalog) -> None:
    refused = catalog.get("/products?limit=1&limit=2")

    assert refused.status == 400
    assert refused.wrong == {"limit": ("2", "This is given 2 times: give it once.")}
