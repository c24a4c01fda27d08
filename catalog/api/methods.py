"""What do the methods of HTTP do with a row, of whichever kind it is?"""

from django.http import HttpRequest, HttpResponse
from ninja import Schema

from async_views.runtime.asgi.problem import wrong_values
from async_views.runtime.asgi.problem_details import FieldError
from async_views.runtime.views.problems import problem_response
from catalog.api.mistakes import shown
from catalog.api.schemas import PageQuery
from catalog.documents.collections import BRANDS, Collection, missing
from catalog.documents.identity import is_possible
from catalog.documents.representation import Representation, respond
from catalog.reading.pagination import MOST_ROWS, Page, parse_cursor
from catalog.reading.reads import reads_of
from catalog.writing.idempotency import Answer
from catalog.writing.writes import (
    Fields,
    Made,
    change,
    create,
    delete,
    preconditions_of,
)
from catalog.writing.writing import insert, response_of, write

# What clients call a column, and the models.
NAMES = {"brand_name": "name", "product_name": "name", "brand_id": "brand_id"}


def columns(body: Schema) -> Fields:
    """Of what the client sent, and of nothing else."""
    sent = body.model_dump(exclude_unset=True)
    return {NAMES[member]: value for member, value in sent.items()}


async def lookup(
    request: HttpRequest, collection: Collection, identity: int
) -> Representation | None:
    if not is_possible(identity):
        return None
    reads = reads_of(request)
    by_id = reads.brand if collection is BRANDS else reads.product
    return await by_id(identity)


async def found(
    request: HttpRequest, collection: Collection, identity: int
) -> HttpResponse:
    """GET."""
    representation = await lookup(request, collection, identity)
    if representation is None:
        return problem_response(request, missing(collection, identity))
    return respond(request, representation)


async def absent(
    request: HttpRequest, collection: Collection, identity: int
) -> HttpResponse | None:
    """What to answer where there is no such row to ask about."""
    if await lookup(request, collection, identity) is None:
        return problem_response(request, missing(collection, identity))
    return None


async def page(
    request: HttpRequest, query: PageQuery, brand_id: int | None
) -> HttpResponse:
    """GET of a part of the products. Raises Problem for what cannot be asked for."""
    try:
        after = parse_cursor(query.cursor, query.order) if query.cursor else None
    except ValueError as error:
        wrong = FieldError("cursor", shown(query.cursor), str(error))
        raise wrong_values([wrong]) from None
    if brand_id is not None and not is_possible(brand_id):
        brand_id = 0  # of which there is none
    limit = min(query.limit, MOST_ROWS)
    asked = Page(request.path, limit, query.order, brand_id, query.q, after)
    return respond(request, await reads_of(request).page(asked))


async def created(
    request: HttpRequest, collection: Collection, body: Schema, silently: bool = False
) -> HttpResponse:
    """POST; what was made is in the answer, unless that is to be silent."""
    fields = columns(body)

    def answer(made: Made) -> Answer:
        headers = {"Location": f"{collection.path}/{made.identity}"}
        if silently:
            return Answer(201, headers)
        found = made.representation
        return Answer(201, headers | {"ETag": found.etag}, found.body)

    made = await insert(request, collection, fields)
    if made is not None:
        return response_of(answer(made))
    return await write(request, lambda: answer(create(collection, fields)), fields)


async def changed(
    request: HttpRequest, collection: Collection, identity: int, body: Schema
) -> HttpResponse:
    """PUT and PATCH, which differ in what a body has to have."""
    if not is_possible(identity):
        return problem_response(request, missing(collection, identity))
    fields = columns(body)
    preconditions = preconditions_of(request)

    def work() -> Answer:
        representation = change(collection, identity, preconditions, fields)
        return Answer(200, {"ETag": representation.etag}, representation.body)

    return await write(request, work, fields)


async def deleted(
    request: HttpRequest, collection: Collection, identity: int
) -> HttpResponse:
    """DELETE."""
    if not is_possible(identity):
        return problem_response(request, missing(collection, identity))
    preconditions = preconditions_of(request)

    def work() -> Answer:
        delete(collection, identity, preconditions)
        return Answer(204)

    return await write(request, work)
