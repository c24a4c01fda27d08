"""From a path and a method to an operation.

Every path of the API is one view. It finds the operation of the method, counts the
request, checks access, validates what was sent, and gives each error the same shape.
"""

from collections.abc import Callable, Container, Coroutine, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from pydantic import BaseModel, ValidationError

from async_views.runtime.asgi.problem import (
    MAX_ERRORS,
    Problem,
    wrong_values,
)
from async_views.runtime.asgi.problem_details import FieldError
from async_views.runtime.handler.header_fields import add
from async_views.runtime.views.known_parameters import ignored_parameters
from async_views.runtime.views.problems import problem_of, problem_response
from catalog.access.access import admit
from catalog.access.limits import count_read, count_write
from catalog.api.bodies import parse_object
from catalog.api.operation import Operation
from catalog.api.validation_errors import UNKNOWN, field_errors, shown
from catalog.documents.collections import Collection
from catalog.documents.representation import JSON, without_content
from catalog.documents.row_id import parse_id

SAFE = frozenset({"GET", "HEAD"})
# What Django calls the permissions that these methods need.
PERMISSIONS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}
MERGE_PATCH = "application/merge-patch+json"
# The attribute of a view by which the OpenAPI document finds its operations.
OPERATIONS = "operations"

View = Callable[..., Coroutine[Any, Any, HttpResponse]]


def path_view(collection: Collection, **operations: Operation) -> View:
    """Return the view of a path with these operations, by method.

    GET answers HEAD too. OPTIONS is answered here, and any other method with 405.
    """
    by_method = dict(operations)
    if "GET" in operations:
        by_method["HEAD"] = operations["GET"]
    allowed = sorted({*by_method, "OPTIONS"})
    needed = {
        method: permissions(method, collection)
        for method in operations
        if method not in SAFE
    }

    async def view(request: HttpRequest, **ids: str) -> HttpResponse:
        method = request.method or ""
        operation = by_method.get(method)
        if operation is None:
            return without_operation(method, allowed)
        try:
            rate_limit = (count_read if method in SAFE else count_write)(request)
        except Problem as refusal:
            return problem_response(request, refusal)
        try:
            if request.META["QUERY_STRING"]:
                refuse_unknown_parameters(request, operation)
            if method in needed:
                # Before the body is read, which takes longer.
                await admit(request, *needed[method])
            arguments = parse_arguments(request, operation, ids)
            response = await operation.function(request, *arguments)
        except Exception as error:
            problem = problem_of(request, error)
            if problem is None:
                raise
            response = problem_response(request, problem)
        add(response, rate_limit)
        return response

    # Access control includes the CSRF check where a session is used. Set directly,
    # because the decorator would wrap each request in one more coroutine.
    view.csrf_exempt = True  # type: ignore[attr-defined]
    setattr(view, OPERATIONS, operations)
    return view


def permissions(method: str, collection: Collection) -> tuple[str, str]:
    """The scope that a token needs, and the permission that a user needs."""
    noun = collection.noun
    return f"{noun}s:write", f"catalog.{PERMISSIONS[method]}_{noun}"


def without_operation(method: str, allowed: list[str]) -> HttpResponse:
    if method == "OPTIONS":
        return without_content(204, {"Allow": ", ".join(allowed)})
    return HttpResponseNotAllowed(allowed)


def refuse_unknown_parameters(request: HttpRequest, operation: Operation) -> None:
    """Raises Problem 400."""
    known = operation.query.model_fields if operation.query is not None else ()
    problem = ignored_parameters(request, tuple(known), page=False)
    if problem is not None:
        raise problem


def parse_arguments(
    request: HttpRequest, operation: Operation, ids: Mapping[str, str]
) -> list[object]:
    """What to call the operation's function with, after the request.

    Raises Problem 400 that names each invalid value, and 415.
    """
    arguments: list[object] = []
    errors: list[FieldError] = []
    for name, text in ids.items():
        try:
            arguments.append(parse_id(text))
        except ValueError as error:
            errors.append(FieldError(name, shown(text), str(error)))
    if operation.query is not None:
        validate(operation.query, request.GET.dict(), arguments, errors)
    if operation.body is not None:
        if request.body:
            members = read_body(request, operation)
            validate(operation.body, members, arguments, errors)
        else:
            errors.append(FieldError("body", "", "is missing"))
    if errors:
        raise wrong_values(errors)
    return arguments


def validate(
    model: type[BaseModel],
    values: Mapping[str, Any],
    arguments: list[object],
    errors: list[FieldError],
) -> None:
    """Appends the valid model to `arguments`, or what is wrong to `errors`."""
    try:
        arguments.append(model.model_validate(values))
    except ValidationError as error:
        errors += field_errors(error)


def read_body(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """The members of the body's object. Raises Problem 400 or 415."""
    assert operation.body is not None
    is_patch = request.method == "PATCH"
    accepted = [JSON, MERGE_PATCH] if is_patch else [JSON]
    if not operation.any_content_type and request.content_type not in accepted:
        raise Problem(
            415,
            f"Content-Type is {request.content_type or 'missing'}: it should be "
            f"{' or '.join(accepted)}.",
            headers={"Accept-Patch" if is_patch else "Accept": ", ".join(accepted)},
        )
    try:
        members = parse_object(request.body)
    except ValueError as error:
        raise Problem(400, f"The body is not valid: {error}.") from None
    if operation.body.model_config.get("extra") == "forbid":
        refuse_many_unknown(members, operation.body.model_fields)
    return members


def refuse_many_unknown(members: Mapping[str, Any], known: Container[str]) -> None:
    """Raises Problem 400 before pydantic has to list them, which can take seconds."""
    unknown = [name for name in members if name not in known]
    if len(unknown) > MAX_ERRORS:
        raise wrong_values(
            [
                FieldError(shown(name), shown(members[name]), UNKNOWN)
                for name in unknown[:MAX_ERRORS]
            ],
            of=len(unknown),
        )
