"""Responses to GET requests: one row, or a page of products."""

from django.http import HttpRequest, HttpResponse

from async_views.runtime.asgi.problem import wrong_values
from async_views.runtime.asgi.problem_details import FieldError
from catalog.api.schemas import PageQuery
from catalog.api.validation_errors import shown
from catalog.documents.collections import BRANDS, Collection, not_found
from catalog.documents.representation import Representation, respond
from catalog.documents.row_id import is_possible_id
from catalog.reading.pagination import MAX_LIMIT, Page, parse_cursor
from catalog.reading.reads import reads_of


async def find(
    request: HttpRequest, collection: Collection, row_id: int
) -> Representation:
    """The row with this ID. Raises Problem 404."""
    if is_possible_id(row_id):
        reads = reads_of(request)
        by_id = reads.brand if collection is BRANDS else reads.product
        row = await by_id(row_id)
        if row is not None:
            return row
    raise not_found(collection, row_id)


async def row_response(
    request: HttpRequest, collection: Collection, row_id: int
) -> HttpResponse:
    """Raises Problem 404."""
    return respond(request, await find(request, collection, row_id))


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
