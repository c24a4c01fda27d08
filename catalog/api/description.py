"""What does the API's OpenAPI document say, beyond what each route says of itself?

The routes describe what they take and give. What is the same for all of a method, above
all how things go wrong, is added here to each.
"""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

from async_views.runtime.asgi.problem import wrong_values
from async_views.runtime.asgi.problem_details import (
    PROBLEM_JSON,
    FieldError,
    ProblemDetails,
)
from async_views.runtime.views.read_only import read_only
from catalog.api.dispatcher import MERGE_PATCH, api
from catalog.api.schemas import ProblemOut
from catalog.documents.representation import JSON, Representation, represent, respond

ETAG_EXAMPLE = '"9f86d081884c7d659a2feaa0"'

PROBLEMS = {
    400: "A value is wrong: which, and what would be right.",
    401: "A token is needed, or the one that was sent is not good.",
    403: "The token, or the person, may not do this.",
    404: "There is no such row.",
    409: "Something stands in the way: products of a brand that is to be deleted, or the "
    "same request under way.",
    412: "Somebody else changed it meanwhile: get it again.",
    413: "The body is too large.",
    415: "The body is not of the type that is taken here.",
    422: "The Idempotency-Key was sent with another request before.",
    428: "If-Match is missing.",
    429: "Too many requests.",
    503: "The database does not answer right now.",
}
ALWAYS = (400, 429, 503)
WRITES = (401, 403, 413)
OF_METHOD = {
    "get": ALWAYS,
    "post": (*ALWAYS, *WRITES, 409, 415, 422),
    "put": (*ALWAYS, *WRITES, 404, 412, 415, 428),
    "patch": (*ALWAYS, *WRITES, 404, 412, 415, 428),
    "delete": (*ALWAYS, *WRITES, 404, 409, 412, 428),
}


def header(description: str, example: Any, **schema: Any) -> dict[str, Any]:
    return {
        "description": description,
        "schema": {"type": "string"} | schema,
        "example": example,
    }


ETAG = header("Another when, and only when, the document is another.", ETAG_EXAMPLE)
LOCATION = header("Where what was made is.", "/products/1001")
LINK = header(
    "The first page and, where there is one, the next (RFC 8288).",
    '</products>; rel="first", </products?cursor=WyJw>; rel="next"',
)
RETRY_AFTER = header("In how many seconds to try again.", 5, type="integer")

# Of what has to be given. A page that tries the routes fills in every example, and would
# ask for something else than a person who fills in nothing: what may be left out has none.
EXAMPLES = {"brand_id": 1, "product_id": 1}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of what the client has, such as "
    f"`{ETAG_EXAMPLE}`: 304 where nothing changed.",
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "example": "*",
    "description": "The ETag of what is to be changed, as it was seen, such as "
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
    "description": "The client's own name for this request, such as "
    "`8e03978e-40d5-43e8-bc93-6894a57f9324`; another for each. Sent again within a day it is "
    "answered as before, and nothing is made twice (an expired draft of the IETF).",
}
PARAMETERS = {
    "get": [IF_NONE_MATCH],
    "post": [IDEMPOTENCY_KEY],
    "put": [IF_MATCH],
    "patch": [IF_MATCH],
    "delete": [IF_MATCH],
}
COMPONENT = "#/components/schemas/{model}"
PROBLEM_SCHEMA = {"$ref": COMPONENT.format(model=ProblemOut.__name__)}
# Of those that name a value.
ERROR_EXAMPLES = {
    400: FieldError("brand_id", "77", "no brand has this number"),
    422: FieldError(
        "Idempotency-Key",
        "8e03978e-40d5-43e8-bc93-6894a57f9324",
        "was sent with another request before.",
    ),
}


def problem(status: int) -> dict[str, Any]:
    wrong = ERROR_EXAMPLES.get(status)
    shown = (
        wrong_values([wrong], status).details
        if wrong
        else ProblemDetails(status, PROBLEMS[status])
    )
    described: dict[str, Any] = {
        "description": PROBLEMS[status],
        "content": {
            PROBLEM_JSON: {
                "schema": PROBLEM_SCHEMA,
                "example": json.loads(shown.document()),
            }
        },
    }
    if status in (429, 503):
        described["headers"] = {"Retry-After": RETRY_AFTER}
    return described


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query string has no null: what may be left out is left out."""
    others = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {name: each for name, each in schema.items() if name != "anyOf"}
    return {**rest, **others[0]} if others else schema


def say_default(parameter: dict[str, Any]) -> None:
    """In words: a page that tries the routes fills in a schema's default, too."""
    default = parameter["schema"].pop("default", None)
    if default is not None:
        said = parameter.get("description", "")
        parameter["description"] = f"{said} Left out, it is {default}.".strip()
    # Swagger UI shows the parameter's own, and has no use for a second.
    parameter["schema"].pop("description", None)


def complete(path: str, method: str, operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        parameter["schema"] = without_null(parameter["schema"])
        if parameter["required"]:
            parameter["example"] = EXAMPLES[parameter["name"]]
        else:
            say_default(parameter)
        # Ninja's is a list, as a schema has it; a parameter's would have names.
        parameter.pop("examples", None)
    parameters.extend(PARAMETERS[method])
    responses = operation["responses"]
    statuses = set(OF_METHOD[method])
    if "{" in path:
        statuses.add(404)
    if path == "/product":
        statuses.discard(415)
    if method == "get":
        responses[304] = {
            "description": "The client has it.",
            "headers": {"ETag": ETAG},
        }
    else:
        operation["security"] = [{"token": []}, {"session": []}, {}]
    for status, response in responses.items():
        headers = response.setdefault("headers", {})
        if response.get("content"):
            headers["ETag"] = ETAG
        if status == 201:
            headers["Location"] = LOCATION
        if path.endswith("/products") and status == 200:
            headers["Link"] = LINK
    responses.update({status: problem(status) for status in sorted(statuses)})
    if method == "patch":
        content = operation["requestBody"]["content"]
        content[MERGE_PATCH] = content[JSON]


def place_of(path: str) -> tuple[bool, bool, int]:
    """Products first, and lists before rows, of which the longest path first."""
    in_path = path.count("{")
    return path.startswith("/brands"), in_path > 0, -len(path) if in_path else len(path)


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    described: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=""))
    # A path comes after those below it, as a person who tries one after the other would
    # not look for the SKUs of a product that they have just deleted.
    paths = described["paths"]
    described["paths"] = dict(sorted(paths.items(), key=lambda each: place_of(each[0])))
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            complete(path, method, operation)
    problem_schema = ProblemOut.model_json_schema(ref_template=COMPONENT)
    described["components"]["schemas"] |= {
        **problem_schema.pop("$defs"),
        ProblemOut.__name__: problem_schema,
    }
    described["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Made in the admin.",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }
    return described


@cache
def represented() -> Representation:
    return represent(json.dumps(document()))


@read_only("GET", "HEAD")
async def openapi(request: HttpRequest) -> HttpResponse:
    return respond(request, represented())


@read_only("GET", "HEAD")
@ensure_csrf_cookie
async def docs(request: HttpRequest) -> HttpResponse:
    """The document as a page on which each route can be tried."""
    return render(
        request,
        "catalog/docs.html",
        {"anyone_writes": settings.CATALOG_WRITE_ACCESS == "anyone"},
    )
