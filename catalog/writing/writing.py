"""What happens around every write: once, and all of it or nothing.

New rows are made together with those of other requests, in one statement. All else is
done in one go on the request's thread, in one transaction.
"""

from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from catalog.access.access import writer_of
from catalog.documents.collections import Collection
from catalog.documents.representation import JSON, without_content
from catalog.writing.idempotency import Answer, fingerprint_of, key_of, once
from catalog.writing.insertions import insertions_of
from catalog.writing.locks import bounded_locks
from catalog.writing.writes import Fields, Made, refusal

# Of a write that names no columns.
NONE: Fields = {}


async def insert(
    request: HttpRequest, collection: Collection, fields: Fields
) -> Made | None:
    """The new row, made together with others'. Raises Problem.

    None where it has to be written by itself: because of its Idempotency-Key, or because
    it or a row beside it was refused, or there is nobody to wait with.
    """
    rows = insertions_of(request)
    if rows is None or key_of(request) is not None:
        return None
    return await rows.insert(collection, fields)


async def write(
    request: HttpRequest,
    work: Callable[[], Answer],
    fields: Fields = NONE,
) -> HttpResponse:
    """The answer of `work`, which writes these fields. Raises Problem."""
    return response_of(await sync_to_async(perform)(request, work, fields))


def response_of(answer: Answer) -> HttpResponse:
    if not answer.body:
        return without_content(answer.status, answer.headers)
    return HttpResponse(answer.body, JSON, answer.status, headers=dict(answer.headers))


def perform(request: HttpRequest, work: Callable[[], Answer], fields: Fields) -> Answer:
    who = writer_of(request)
    # The other methods can be repeated as they are (RFC 9110, section 9.2.2).
    key = key_of(request) if request.method == "POST" else None
    try:
        fingerprint = fingerprint_of(request) if key else b""
        with bounded_locks():
            return once(who.subject, key, fingerprint, work)
    except IntegrityError as error:
        problem = refusal(error, fields)
        if problem is None:
            raise
        raise problem from error
