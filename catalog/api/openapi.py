"""The OpenAPI document, and the page that shows it.

Operations and their models describe what is specific to them. What all operations of a
method have in common, such as headers and errors, is added here.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern
from django.views.decorators.csrf import ensure_csrf_cookie
from pydantic import TypeAdapter

from async_views import __version__
from async_views.runtime.asgi.problem import wrong_values
from async_views.runtime.asgi.problem_details import (
    PROBLEM_JSON,
    FieldError,
    ProblemDetails,
)
from async_views.runtime.views.read_only import read_only
from catalog.api.dispatcher import MERGE_PATCH, OPERATIONS, View
from catalog.api.operation import Operation
from catalog.api.schemas import ProblemOut
from catalog.documents.representation import JSON, Representation, represent, respond
from catalog.documents.row_id import RowId

INFO = {
    "title": "The catalog",
    "version": __version__,
    "description": "Brands and products, and what is known of their colours and sizes.",
}
ETAG_EXAMPLE = '"9f86d081884c7d659a2feaa0"'

PROBLEMS = {
    400: "A value is invalid. The problem names it, and says what would be valid.",
    401: "A token is missing or invalid.",
    403: "The token or the user lacks the permission.",
    404: "There is no such row.",
    409: "There is a conflict: the brand to delete still has products, or the first request "
    "with this Idempotency-Key is still in progress.",
    412: "The row has changed since: get it again.",
    413: "The body is too large.",
    415: "The body's content type is not supported.",
    422: "The Idempotency-Key was used for a different request.",
    428: "If-Match is missing.",
    429: "Too many requests.",
    503: "The database does not respond right now.",
}
EVERY_REQUEST = (400, 429, 503)
EVERY_WRITE = (*EVERY_REQUEST, 401, 403, 413)
PROBLEMS_OF_METHOD = {
    "GET": EVERY_REQUEST,
    "POST": (*EVERY_WRITE, 409, 415, 422),
    "PUT": (*EVERY_WRITE, 404, 412, 415, 428),
    "PATCH": (*EVERY_WRITE, 404, 412, 415, 428),
    "DELETE": (*EVERY_WRITE, 404, 409, 412, 428),
}


def header(description: str, example: Any, **schema: Any) -> dict[str, Any]:
    return {
        "description": description,
        "schema": {"type": "string"} | schema,
        "example": example,
    }


ETAG = header("Changes if and only if the document changes.", ETAG_EXAMPLE)
LOCATION = header("URL of the new resource.", "/products/1001")
LINK = header(
    "The first page and, if there is one, the next page (RFC 8288).",
    '</products>; rel="first", </products?cursor=WyJw>; rel="next"',
)
RETRY_AFTER = header("Seconds to wait before the next try.", 5, type="integer")

# Only required parameters have examples: a page that tries the operations fills in every
# example, and would send optional parameters that the user did not enter.
EXAMPLES = {"brand_id": 1, "product_id": 1}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of the client's copy, such as "
    f"`{ETAG_EXAMPLE}`: the response is 304 if nothing changed.",
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "example": "*",
    "description": "The ETag of the row as the client last saw it, such as "
    f"`{ETAG_EXAMPLE}`; * for any.",
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {
        "type": "string",
        "pattern": r'^([!#-~]{1,255}|"[!#-\[\]-~]{1,255}")$',
    },
    "description": "A name that the client gives this request and no other, such as "
    "`8e03978e-40d5-43e8-bc93-6894a57f9324`. If it is sent again within a day, the response "
    "is the same, and nothing is created twice (an expired draft of the IETF).",
}
PARAMETERS = {
    "GET": [IF_NONE_MATCH],
    "POST": [IDEMPOTENCY_KEY],
    "PUT": [IF_MATCH],
    "PATCH": [IF_MATCH],
    "DELETE": [IF_MATCH],
}
COMPONENT = "#/components/schemas/{model}"
SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Created in the admin.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}
# For problems that name a value.
ERROR_EXAMPLES = {
    400: FieldError("brand_id", "77", "no brand has this ID"),
    422: FieldError(
        "Idempotency-Key",
        "8e03978e-40d5-43e8-bc93-6894a57f9324",
        "was used for a different request.",
    ),
}


class Schemas:
    """The JSON Schemas of all models: each model is a component that others refer to."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        bodies = {each.body for each in operations if each.body is not None}
        returned = {
            TypeAdapter(each.returns): each.returns
            for each in operations
            if each.returns is not None
        }
        self._references, definitions = TypeAdapter.json_schemas(
            [
                *((body, "validation", TypeAdapter(body)) for body in bodies),
                *(
                    (type_, "serialization", adapter)
                    for adapter, type_ in returned.items()
                ),
                (ProblemOut, "validation", TypeAdapter(ProblemOut)),
            ],
            ref_template=COMPONENT,
        )
        self.components: dict[str, Any] = definitions["$defs"]

    def body(self, model: Any) -> Any:
        return self._references[model, "validation"]

    def returned(self, type_: Any) -> Any:
        return self._references[type_, "serialization"]


def document(api: Sequence[URLPattern]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these paths."""
    paths = {path_of(pattern): operations_of(pattern) for pattern in api}
    schemas = Schemas([each for some in paths.values() for each in some.values()])
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "paths": {
            path: {
                method.lower(): described(path, method, operation, schemas)
                for method, operation in operations.items()
            }
            for path, operations in paths.items()
        },
        "components": {
            "schemas": schemas.components,
            "securitySchemes": SECURITY_SCHEMES,
        },
        "servers": [],
    }


def path_of(pattern: URLPattern) -> str:
    """In OpenAPI's notation."""
    return "/" + str(pattern.pattern).replace("<", "{").replace(">", "}")


def operations_of(pattern: URLPattern) -> dict[str, Operation]:
    operations: dict[str, Operation] = getattr(pattern.callback, OPERATIONS)
    return operations


def described(
    path: str, method: str, operation: Operation, schemas: Schemas
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "operationId": operation.function.__name__,
        "summary": operation.summary,
        "parameters": parameters(path, method, operation),
        "responses": responses(path, method, operation, schemas),
        "tags": ["brands" if path.startswith("/brands") else "products"],
    }
    if operation.function.__doc__:
        result["description"] = operation.function.__doc__
    if operation.body is not None:
        media_types = [JSON, MERGE_PATCH] if method == "PATCH" else [JSON]
        content = {"schema": schemas.body(operation.body)}
        result["requestBody"] = {
            "content": dict.fromkeys(media_types, content),
            "required": True,
        }
    if method != "GET":
        result["security"] = [*({name: []} for name in SECURITY_SCHEMES), {}]
    return result


def parameters(path: str, method: str, operation: Operation) -> list[dict[str, Any]]:
    in_path = [
        {
            "in": "path",
            "name": name,
            "schema": TypeAdapter(RowId).json_schema(),
            "required": True,
            "example": EXAMPLES[name],
        }
        for name in re.findall(r"{(\w+)}", path)
    ]
    in_query: list[dict[str, Any]] = []
    if operation.query is not None:
        schemas = operation.query.model_json_schema()["properties"]
        in_query = [query_parameter(*each) for each in schemas.items()]
    return [*in_path, *in_query, *PARAMETERS[method]]


def query_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    schema = without_null(schema)
    description = schema.pop("description", "")
    # In words, because a page that tries the operations also fills in a schema's default.
    default = schema.pop("default", None)
    if default is not None:
        description = f"{description} Default: {default}.".strip()
    parameter = {"in": "query", "name": name, "schema": schema, "required": False}
    if description:
        parameter["description"] = description
    return parameter


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query string has no null: an optional parameter is left out."""
    others = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {name: each for name, each in schema.items() if name != "anyOf"}
    return {**rest, **others[0]} if others else rest


def responses(
    path: str, method: str, operation: Operation, schemas: Schemas
) -> dict[int, Any]:
    headers = {}
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.returns is not None:
        success["content"] = {JSON: {"schema": schemas.returned(operation.returns)}}
        headers["ETag"] = ETAG
    if operation.status == HTTPStatus.CREATED:
        headers["Location"] = LOCATION
    if operation.query is not None:
        headers["Link"] = LINK
    result = {operation.status: success | {"headers": headers}}
    if method == "GET":
        result[304] = {"description": "Not Modified", "headers": {"ETag": ETAG}}
    statuses = set(PROBLEMS_OF_METHOD[method])
    if "{" in path:
        statuses.add(404)
    if operation.any_content_type:
        statuses.discard(415)
    reference = schemas.body(ProblemOut)
    result |= {status: problem(status, reference) for status in sorted(statuses)}
    return result


def problem(status: int, reference: dict[str, Any]) -> dict[str, Any]:
    error = ERROR_EXAMPLES.get(status)
    example = (
        wrong_values([error], status).details
        if error
        else ProblemDetails(status, PROBLEMS[status])
    )
    result: dict[str, Any] = {
        "description": PROBLEMS[status],
        "content": {
            PROBLEM_JSON: {
                "schema": reference,
                "example": json.loads(example.document()),
            }
        },
    }
    if status in (429, 503):
        result["headers"] = {"Retry-After": RETRY_AFTER}
    return result


def openapi(api: Sequence[URLPattern]) -> View:
    """The view of the document, which is generated at the first request."""

    @cache
    def representation() -> Representation:
        return represent(json.dumps(document(api)))

    @read_only("GET", "HEAD")
    async def view(request: HttpRequest) -> HttpResponse:
        return respond(request, representation())

    return view


@read_only("GET", "HEAD")
@ensure_csrf_cookie
async def docs(request: HttpRequest) -> HttpResponse:
    """A page on which each operation can be tried."""
    return render(
        request,
        "catalog/docs.html",
        {"anyone_writes": settings.CATALOG_WRITE_ACCESS == "anyone"},
    )
