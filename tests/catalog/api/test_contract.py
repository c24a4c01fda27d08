"""The API behaves as its OpenAPI document says, whatever it is sent."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from catalog.urls import urlpatterns
from tests.support.catalog.service import Catalog
from tests.support.site import ROOT, Site

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(catalog: Catalog) -> Any:
    return catalog.get("/openapi.json").json


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def schemathesis(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONDEVMODE", "PYTHONASYNCIODEBUG"}
    }
    return subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--config-file=tests/catalog/schemathesis.toml",
            "run",
            f"{url}/openapi.json",
            *options,
        ],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def statuses_seen(site_said: str) -> set[int]:
    return {int(status) for status in re.findall(r'HTTP/1\.1" (\d{3}) ', site_said)}


def fill(catalog: Catalog) -> None:
    catalog.insert("brand", [("Acme",), ("Böse & Söhne",), ("Nothing's",)])
    catalog.insert("product", [(f"A hammer {n}", 1 + n % 2) for n in range(30)])
    catalog.insert("product_size", [("Small",)])
    catalog.insert("product_color", [("Blue",)])
    catalog.insert("sku", [(1, 1, 1), (2, 1, 1)])


def test_every_response_matches_the_document(catalog: Catalog) -> None:
    fill(catalog)

    finished = schemathesis(catalog.url)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Tested: 15" in finished.stdout


def test_error_responses_match_the_document_too(catalog: Catalog) -> None:
    fill(catalog)
    settings = {"CATALOG_READS_A_MINUTE": "50", "CATALOG_WRITES_A_MINUTE": "50"}
    with Site(DATABASE_URL=catalog.database, BODY_BYTES="2000", **settings) as site:
        finished = schemathesis(site.url, "--phases=examples,coverage")

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert {401, 404, 429} <= statuses_seen(site.output)


def test_the_document_is_valid_openapi(document: Any) -> None:
    text = json.dumps(document)
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text))

    assert document["openapi"].startswith("3.1.")
    assert list(map(str, OPENAPI_31_VALIDATOR.iter_errors(document))) == []
    assert references <= set(document["components"]["schemas"])
    for path, _, operation in operations(document):
        parameters = [(each["in"], each["name"]) for each in operation["parameters"]]
        assert len(set(parameters)) == len(parameters)
        in_path = {name for place, name in parameters if place == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert all(
            response["description"] for response in operation["responses"].values()
        )


def test_every_route_and_method_is_in_the_document(
    catalog: Catalog, document: Any
) -> None:
    routes = {
        "/" + str(pattern.pattern).replace("<", "{").replace(">", "}")
        for pattern in urlpatterns
        if pattern.name not in {"openapi", "docs"}
        and not str(pattern.pattern).startswith("catalog/")
    }

    assert set(document["paths"]) == routes
    for path, item in document["paths"].items():
        allowed = catalog.send("OPTIONS", path).headers["Allow"].lower()
        assert set(item) == set(allowed.split(", ")) & METHODS


def test_every_operation_has_a_readable_name_of_its_own(document: Any) -> None:
    names = [each["operationId"] for _, _, each in operations(document)]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert {"list_brands", "get_product", "create_product", "change_brand"} < set(names)
    assert not any("routes" in name for name in names)


def test_everything_sent_or_received_has_an_example(document: Any) -> None:
    schemas = document["components"]["schemas"]
    used = set()
    for _, _, operation in operations(document):
        # A page that tries the operations would fill in examples of optional ones.
        for each in operation["parameters"]:
            assert ("example" in each) == each["required"], each
            assert "default" not in each["schema"], each
        contents = json.dumps([operation.get("requestBody"), operation["responses"]])
        used |= set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', contents))
    for name in used:
        for member in schemas[name]["properties"].values():
            nested = "$ref" in json.dumps(member)
            assert nested or member["examples"], (name, member)


def test_the_example_of_an_error_has_its_status(document: Any) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            [content] = response["content"].values()
            example = content["example"]
            assert example["status"] == int(status), (path, method)
            assert example["title"] == HTTPStatus(int(status)).phrase


def good_request(operation: Any, schemas: Any) -> tuple[Any, dict[str, str]]:
    """A body and the required headers, from the document's examples."""
    headers = {
        each["name"]: each["example"]
        for each in operation["parameters"]
        if each["in"] == "header" and each["required"]
    }
    if "requestBody" not in operation:
        return None, headers
    content = operation["requestBody"]["content"]["application/json"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    members = schemas[name]["properties"]
    return {each: members[each]["examples"][0] for each in members}, headers


def test_the_server_requires_what_the_document_requires(
    catalog: Catalog, document: Any
) -> None:
    """Each operation works with the examples alone, and fails without a required header."""
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        catalog.empty()
        fill(catalog)
        place = re.sub(r"{\w+}", "1", path)
        body, headers = good_request(operation, schemas)

        for missing in headers:
            fewer = {name: each for name, each in headers.items() if name != missing}
            refused = catalog.send(method.upper(), place, body, **fewer)
            assert refused.status == 428, (path, method, missing)
        answer = catalog.send(method.upper(), place, body, **headers)

        still_needed = (method, path) == ("delete", "/brands/{brand_id}")
        assert answer.status == 409 if still_needed else answer.status < 300, path
        assert str(answer.status) in operation["responses"]


def test_the_document_has_an_etag(catalog: Catalog) -> None:
    answer = catalog.get("/openapi.json")

    again = catalog.get("/openapi.json", If_None_Match=answer.etag)

    assert (answer.status, again.status, again.body) == (200, 304, b"")


def test_a_description_names_the_possible_errors(document: Any) -> None:
    statuses = {
        each["operationId"]: set(each["responses"])
        for _, _, each in operations(document)
    }

    assert {"200", "304", "404", "429", "503"} <= statuses["get_product"]
    assert {"404", "412", "415", "428"} <= statuses["replace_product"]
    assert {"204", "409", "412", "428"} <= statuses["delete_brand"]
    assert "415" not in statuses["create_product_as_in_the_book"]
    assert "422" in statuses["create_product_as_in_the_book"]
