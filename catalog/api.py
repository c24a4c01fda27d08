"""How is a request to the catalog's API taken, and what is said when it cannot be?

django-ninja describes the routes and validates what they are sent. Around that, here and
for all of them: HEAD and OPTIONS, what is not allowed, how often, and every error as
problem details.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from inspect import signature
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError, ValidationErrorContext
from ninja.operation import Operation
from ninja.parser import Parser

from async_views import __version__
from async_views.runtime.coalesce import TooManyWaiting
from async_views.runtime.database import is_unavailable
from async_views.runtime.header_fields import add
from async_views.runtime.problem_details import FieldError, shortened
from async_views.runtime.problems import (
    Problem,
    problem_response,
    unavailable,
)
from catalog.bodies import parse_object
from catalog.identity import Identity, parse_identity
from catalog.limits import count_read, count_write
from catalog.representation import JSON, without_content

logger = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD"})
MERGE_PATCH = "application/merge-patch+json"

Run = Callable[..., Awaitable[HttpResponse]]

# Ninja has one ready before it asks a view. Ours bring their own.
UNUSED = HttpResponse()


class StrictParser(Parser):
    """Takes bodies that say what they are; the book's curl says that they are a form."""

    def parse_body(self, request: HttpRequest) -> Any:
        match = request.resolver_match
        takes_any = match is not None and match.url_name == "book_product"
        taken = {JSON, MERGE_PATCH} if request.method == "PATCH" else {JSON}
        if not takes_any and request.content_type not in taken:
            raise Problem(
                415,
                f"Content-Type is {request.content_type or 'missing'}: it should be "
                f"{' or '.join(sorted(taken))}.",
                headers={
                    "Accept-Patch"
                    if request.method == "PATCH"
                    else "Accept": ", ".join(sorted(taken))
                },
            )
        try:
            return parse_object(request.body)
        except ValueError as error:
            raise Problem(400, f"The body is not what it should be: {error}.") from None


class CatalogAPI(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        return UNUSED

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        # Ninja's own leaves out the value, which is what a client has to find.
        return ValidationError(
            [
                {**error, "loc": place_of(context.model, error["loc"])}
                for context in error_contexts
                for error in context.pydantic_validation_error.errors(include_url=False)
            ]
        )

    def patterns(self) -> list[URLPattern]:
        """A pattern a path, which answers all its methods."""
        return [
            path(
                # In the words of OpenAPI, which are not Django's.
                route.lstrip("/").replace("{", "<").replace("}", ">"),
                answering(
                    {
                        method: running(operation)
                        for operation in view.operations
                        for method in operation.methods
                    }
                ),
                name=view.url_name or view.operations[0].view_func.__name__,
            )
            for bound in self._get_bound_routers()
            for route, view in bound.path_operations.items()
        ]


api = CatalogAPI(
    title="The catalog",
    version=__version__,
    description="Brands and products, and what is known of their colours and sizes.",
    parser=StrictParser(),
    docs_url=None,
    openapi_url=None,
)


def running(operation: Operation) -> Run:
    """What ninja's own run of an operation comes to where its view says who may do what.

    That looks for checks that no route here has, and makes a response of what is not one.
    """
    view = cast(Run, operation.view_func)
    parameters = list(signature(view).parameters.values())[1:]
    names_a_row = all(each.annotation is Identity for each in parameters)

    def values(request: HttpRequest, path: Mapping[str, str]) -> dict[str, Any]:
        if names_a_row:
            # Most requests are such, and pydantic would take ten times as long.
            try:
                return {name: parse_identity(text) for name, text in path.items()}
            except ValueError:
                pass  # Ninja says what is wrong.
        return operation._get_values(request, path, UNUSED)

    async def run(request: HttpRequest, **path: str) -> HttpResponse:
        try:
            return await view(request, **values(request, path))
        except Exception as error:
            return api.on_exception(request, error)

    return run


def answering(runs: Mapping[str, Run]) -> Any:
    """The view of a path."""
    runs = {**({"HEAD": runs["GET"]} if "GET" in runs else {}), **runs}
    allowed = sorted({*runs, "OPTIONS"})

    async def answer(request: HttpRequest, **parameters: Any) -> HttpResponse:
        method = request.method or ""
        run = runs.get(method)
        if run is None:
            return refuse(method, allowed)
        try:
            count = count_read if method in SAFE else count_write
            standing = count(request)
        except Problem as problem:
            return problem_response(request, problem)
        response = await run(request, **parameters)
        add(response, standing)
        return response

    # Who writes is known by a token, or checked against forgery where they are asked. By
    # hand, as the decorator would put one more coroutine around each request.
    answer.csrf_exempt = True  # type: ignore[attr-defined]
    return answer


def refuse(method: str, allowed: list[str]) -> HttpResponse:
    if method == "OPTIONS":
        return without_content(204, {"Allow": ", ".join(allowed)})
    return HttpResponseNotAllowed(allowed)


@api.exception_handler(Problem)
def answer_problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return problem_response(request, error)


@api.exception_handler(ValidationError)
def answer_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    wrong = [field_error(each) for each in error.errors]
    detail = " ".join(f"{each.field}: {each.message}." for each in wrong)
    return problem_response(request, Problem(400, detail, wrong))


def place_of(model: Any, location: tuple[int | str, ...]) -> str:
    """Where a value was, in the client's words.

    Pydantic begins with the name of the view's argument: of a body, that is nobody's
    but ours, and of a path or a query string only where it has parts.
    """
    is_body = model.__ninja_param_source__ == "body"
    parts = location[1:] if is_body or len(location) > 1 else location
    return ".".join(map(str, parts)) or "body"


def field_error(error: Mapping[str, Any]) -> FieldError:
    """Pydantic's account of one wrong value, as this site gives it."""
    field = error["loc"]
    if error["type"] == "missing":
        return FieldError(field, "", "is missing")
    if error["type"] == "extra_forbidden":
        return FieldError(field, shown(error["input"]), "is not known here")
    message = str(error.get("ctx", {}).get("error") or error["msg"])
    return FieldError(field, shown(error["input"]), message)


def shown(value: object) -> str:
    if isinstance(value, str):
        return shortened(value)
    return shortened(json.dumps(value, default=str))


@api.exception_handler(HttpError)
def answer_unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the parser has to say of a body: ninja raises it as an error of its own."""
    if isinstance(error.__cause__, Problem):
        return problem_response(request, error.__cause__)
    raise error


@api.exception_handler(TooManyWaiting)
def answer_crowded(request: HttpRequest, error: TooManyWaiting) -> HttpResponse:
    return problem_response(
        request, unavailable("More requests wait for the database than may.")
    )


@api.exception_handler(Exception)
def answer_failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """What nobody expected goes on to the site, which logs it; but not a lost database."""
    if is_unavailable(error):
        cause = error.__cause__ or error
        logger.error("%s: the database does not answer: %s", request.path, cause)
        return problem_response(
            request, unavailable("The database does not answer right now.")
        )
    raise error
