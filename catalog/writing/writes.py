"""POST, PUT, PATCH and DELETE of one row.

New rows of several requests are inserted together, in one statement. All else is one
transaction of the ORM's, on the request's thread.
"""

from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from catalog.access.access import writer_of
from catalog.documents.collections import Collection, not_found
from catalog.documents.representation import JSON, without_content
from catalog.documents.row_id import is_possible_id
from catalog.writing import rows
from catalog.writing.batched_inserts import batched_inserts_of
from catalog.writing.idempotency import WriteResponse, fingerprint_of, key_of, once
from catalog.writing.locks import bounded_locks
from catalog.writing.rows import Columns, NewRow, preconditions_of

NO_COLUMNS: Columns = {}


async def create(
    request: HttpRequest, collection: Collection, columns: Columns, empty: bool = False
) -> HttpResponse:
    """POST. The response has the new row, unless it is to be empty. Raises Problem."""

    def created(row: NewRow) -> WriteResponse:
        headers = {"Location": f"{collection.path}/{row.id}"}
        if empty:
            return WriteResponse(201, headers)
        document = row.representation
        return WriteResponse(201, headers | {"ETag": document.etag}, document.body)

    def work() -> WriteResponse:
        return created(rows.insert(collection, columns))

    inserts = batched_inserts_of(request)
    if inserts is not None and key_of(request) is None:
        row = await inserts.insert(collection, columns)
        # If this row, or another of its statement, was refused, none was inserted.
        if row is not None:
            return http_response(created(row))
    return await write(request, work, columns)


async def update(
    request: HttpRequest, collection: Collection, row_id: int, columns: Columns
) -> HttpResponse:
    """PUT and PATCH, which differ only in the required members. Raises Problem."""
    if not is_possible_id(row_id):
        raise not_found(collection, row_id)
    preconditions = preconditions_of(request)

    def work() -> WriteResponse:
        document = rows.update(collection, row_id, preconditions, columns)
        return WriteResponse(200, {"ETag": document.etag}, document.body)

    return await write(request, work, columns)


async def delete(
    request: HttpRequest, collection: Collection, row_id: int
) -> HttpResponse:
    """DELETE. Raises Problem."""
    if not is_possible_id(row_id):
        raise not_found(collection, row_id)
    preconditions = preconditions_of(request)

    def work() -> WriteResponse:
        rows.delete(collection, row_id, preconditions)
        return WriteResponse(204)

    return await write(request, work, NO_COLUMNS)


async def write(
    request: HttpRequest, work: Callable[[], WriteResponse], columns: Columns
) -> HttpResponse:
    return http_response(await sync_to_async(perform)(request, work, columns))


def perform(
    request: HttpRequest, work: Callable[[], WriteResponse], columns: Columns
) -> WriteResponse:
    """Call `work` in a transaction, once for each Idempotency-Key of a client's."""
    writer = writer_of(request)
    # Requests of the other methods are idempotent anyway (RFC 9110, section 9.2.2).
    key = key_of(request) if request.method == "POST" else None
    try:
        fingerprint = fingerprint_of(request) if key else b""
        with bounded_locks():
            return once(writer.subject, key, fingerprint, work)
    except IntegrityError as error:
        problem = rows.violation(error, columns)
        if problem is None:
            raise
        raise problem from error


def http_response(response: WriteResponse) -> HttpResponse:
    if not response.body:
        return without_content(response.status, response.headers)
    return HttpResponse(
        response.body, JSON, response.status, headers=dict(response.headers)
    )
