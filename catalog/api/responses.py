"""Responses to GET requests: one row, or a page of products."""

from django.http import HttpRequest, HttpResponse

from async_views.runtime.asgi.problem import wrong_values
from async_views.runtime.asgi.problem_details import FieldError
from async_views.runtime.views.problems import problem_response
from catalog.api.schemas import PageQuery
from catalog.api.validation_errors import shown
from catalog.documents.collections import BRANDS, Collection, not_found
from catalog.documents.representation import Representation, respond
from catalog.documents.row_id import is_possible_id
from catalog.reading.pagination import MAX_LIMIT, Page, parse_cursor
from catalog.reading.reads import reads_of


async def find(
    request: HttpRequest, collection: Collection, row_id: int
) -> Representation | None:
    if not is_possible_id(row_id):
        return None
    reads = reads_of(request)
    by_id = reads.brand if collection is BRANDS else reads.product
    return await by_id(row_id)


async def row_response(
    request: HttpRequest, collection: Collection, row_id: int
) -> HttpResponse:
    representation = await find(request, collection, row_id)
    if representation is None:
        return problem_response(request, not_found(collection, row_id))
    return respond(request, representation)


async def missing_response(
    request: HttpRequest, collection: Collection, row_id: int
) -> HttpResponse | None:
    """The 404 for a row that does not exist; None if it exists."""
    if await find(request, collection, row_id) is None:
        return problem_response(request, not_found(collection, row_id))
    return None


async def page_response(
    request: HttpRequest, query: PageQuery, brand_id: int | None
) -> HttpResponse:
    """Raises Problem 400 for an invalid cursor."""
    try:
        after = parse_cursor(query.cursor, query.order) if query.cursor else None
    except ValueError as error:
        invalid = FieldError("cursor", shown(query.cursor), str(error))
        raise wrong_values([invalid]) from None
    if brand_id is not None and not is_possible_id(brand_id):
        brand_id = 0  # which no brand has
    limit = min(query.limit, MAX_LIMIT)
    page = Page(request.path, limit, query.order, brand_id, query.q, after)
    return respond(request, await reads_of(request).page(page))
