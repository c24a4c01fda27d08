"""What happens around every write: who may, how often, once, and all of it or nothing.

All that blocks is done in one go on the request's thread, in one transaction.
"""

from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from catalog.access import writer
from catalog.idempotency import Answer, fingerprint_of, key_of, once
from catalog.representation import JSON, without_content
from catalog.writes import Collection, Fields, refusal

VERBS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}

# Of a write that names no columns.
NONE: Fields = {}


async def write(
    request: HttpRequest,
    collection: Collection,
    work: Callable[[], Answer],
    fields: Fields = NONE,
) -> HttpResponse:
    """The answer of `work`, which writes these fields. Raises Problem."""
    answer = await sync_to_async(perform)(request, collection, work, fields)
    if not answer.body:
        return without_content(answer.status, answer.headers)
    return HttpResponse(answer.body, JSON, answer.status, headers=dict(answer.headers))


def perform(
    request: HttpRequest,
    collection: Collection,
    work: Callable[[], Answer],
    fields: Fields,
) -> Answer:
    assert request.method
    permission = f"catalog.{VERBS[request.method]}_{collection.noun}"
    who = writer(request, f"{collection.noun}s:write", permission)
    # The other methods can be repeated as they are (RFC 9110, section 9.2.2).
    key = key_of(request) if request.method == "POST" else None
    try:
        return once(who.subject, key, fingerprint_of(request) if key else b"", work)
    except IntegrityError as error:
        problem = refusal(error, fields)
        if problem is None:
            raise
        raise problem from error
