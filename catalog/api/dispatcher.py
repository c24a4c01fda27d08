"""How is a request to the catalog's API taken, and what is said when it cannot be?

django-ninja describes the routes and validates what they are sent. Around that, here and
for all of them: HEAD and OPTIONS, what is not allowed, how often, and every error as
problem details.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from inspect import signature
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError, ValidationErrorContext
from ninja.operation import Operation
from ninja.parser import Parser

from async_views import __version__
from async_views.runtime.asgi.problem import (
    MAX_ERRORS,
    Problem,
    wrong_values,
)
from async_views.runtime.asgi.problem_details import FieldError
from async_views.runtime.handler.header_fields import add
from async_views.runtime.views.problems import problem_of, problem_response
from async_views.runtime.views.unknown_parameters import unknown_parameters
from catalog.access.access import admit
from catalog.access.limits import count_read, count_write
from catalog.api.bodies import parse_object
from catalog.api.mistakes import UNKNOWN, field_error, shown
from catalog.api.schemas import Written
from catalog.documents.collections import BRANDS, PRODUCTS
from catalog.documents.collections import Collection as Rows
from catalog.documents.identity import Identity, parse_identity
from catalog.documents.representation import JSON, without_content

SAFE = frozenset({"GET", "HEAD"})
VERBS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}
MERGE_PATCH = "application/merge-patch+json"

Run = Callable[..., Awaitable[HttpResponse]]

# Ninja has one ready before it asks a view. Ours bring their own.
UNUSED = HttpResponse()


class StrictParser(Parser):
    """Takes bodies that say what they are; the book's curl says that they are a form."""

    def __init__(self) -> None:
        # Of the routes that take no others, by their names and methods.
        self.members: dict[tuple[str | None, str | None], Collection[str]] = {}

    def parse_body(self, request: HttpRequest) -> Any:
        match = request.resolver_match
        name = match.url_name if match else None
        takes_any = name == "book_product"
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
            document = parse_object(request.body)
        except ValueError as error:
            raise Problem(400, f"The body is not what it should be: {error}.") from None
        members = self.members.get((name, request.method))
        if members is not None:
            refuse_many_unknown(document, members)
        return document


def refuse_many_unknown(document: Mapping[str, Any], members: Collection[str]) -> None:
    """Pydantic tells of a few among all that is wrong; of 100,000 it takes seconds to."""
    unknown = [name for name in document if name not in members]
    if len(unknown) > MAX_ERRORS:
        raise wrong_values(
            [
                FieldError(shown(name), shown(document[name]), UNKNOWN)
                for name in unknown[:MAX_ERRORS]
            ],
            of=len(unknown),
        )


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
                        method: running(operation, name, method, route)
                        for operation in view.operations
                        for method in operation.methods
                    }
                ),
                name=name,
            )
            for bound in self._get_bound_routers()
            for route, view in bound.path_operations.items()
            for name in [view.url_name or view.operations[0].view_func.__name__]
        ]


parser = StrictParser()
api = CatalogAPI(
    title="The catalog",
    version=__version__,
    description="Brands and products, and what is known of their colours and sizes.",
    parser=parser,
    docs_url=None,
    openapi_url=None,
)


def running(operation: Operation, name: str, method: str, route: str) -> Run:
    """What ninja's own run of an operation comes to where its view says who may do what.

    That looks for checks that no route here has, and makes a response of what is not one.
    """
    view = cast(Run, operation.view_func)
    parameters = list(signature(view).parameters.values())[1:]
    names_a_row = all(each.annotation is Identity for each in parameters)
    of_query = query_parameters(operation)
    collection = BRANDS if route.startswith(BRANDS.path) else PRODUCTS
    may = needed(method, collection) if method in VERBS else None
    for each in parameters:
        if isinstance(each.annotation, type) and issubclass(each.annotation, Written):
            parser.members[name, method] = frozenset(each.annotation.model_fields)

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
            if request.META["QUERY_STRING"]:
                refuse_unknown_parameters(request, of_query)
            if may is not None:
                # Before the body is looked at, which takes longer.
                await admit(request, *may)
            return await view(request, **values(request, path))
        except Exception as error:
            return api.on_exception(request, error)

    return run


def query_parameters(operation: Operation) -> tuple[str, ...]:
    """What the operation knows in a query string."""
    return tuple(
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    )


def refuse_unknown_parameters(request: HttpRequest, known: Collection[str]) -> None:
    """Raises Problem 400: what is ignored changes the answer without a word."""
    unknown = unknown_parameters(request.GET, known)
    if unknown:
        raise wrong_values(
            [
                FieldError(shown(name), shown(request.GET[name]), said)
                for name, said in unknown[:MAX_ERRORS]
            ],
            of=len(unknown),
        )


def needed(method: str, collection: Rows) -> tuple[str, str]:
    """The scope of a token, and the permission of a person."""
    noun = collection.noun
    return f"{noun}s:write", f"catalog.{VERBS[method]}_{noun}"


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
    return problem_response(request, wrong_values(wrong))


def place_of(model: Any, location: tuple[int | str, ...]) -> str:
    """Where a value was, in the client's words.

    Pydantic begins with the name of the view's argument: of a body, that is nobody's
    but ours, and of a path or a query string only where it has parts.
    """
    is_body = model.__ninja_param_source__ == "body"
    parts = location[1:] if is_body or len(location) > 1 else location
    return shown(".".join(map(str, parts))) or "body"


@api.exception_handler(HttpError)
def answer_unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the parser has to say of a body: ninja raises it as an error of its own."""
    if isinstance(error.__cause__, Problem):
        return problem_response(request, error.__cause__)
    raise error


@api.exception_handler(Exception)
def answer_failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """What nobody expected goes on to the site, which logs it; but not a lost database."""
    problem = problem_of(request, error)
    if problem is None:
        raise error
    return problem_response(request, problem)
