"""Idempotency keys: a client that got no response can send a write again.

The header is that of draft-ietf-httpapi-idempotency-key-header-07: an expired draft, not
an RFC, and the nearest thing to a standard.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/

The response to a write that succeeded is stored (as a RememberedAnswer) in the same
transaction, so that either both exist or neither. A write that failed changed nothing
and is not stored, so that the client can try again with the same key.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from async_views.runtime.asgi.problem import Problem, wrong_values
from async_views.runtime.asgi.problem_details import FieldError
from catalog.models import RememberedAnswer
from catalog.writing.locks import is_lock_timeout

HEADER = "Idempotency-Key"
FIELD_NAME = HEADER.lower().encode()  # in ASGI's headers
# Visible ASCII, 1 to 255 characters.
KEY = re.compile(r"[!-~]{1,255}")
# A string of RFC 8941, section 3.3.3.
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
ESCAPED = re.compile(r'\\(["\\])')

REMEMBERED_FOR = timedelta(hours=24)
# Each write adds one row and deletes up to five expired ones: the table has at most a
# day's writes in the long run, and no write has to delete many.
DELETED_A_WRITE = 5

LOCK_SECONDS = 5
RETRY_AFTER_SECONDS = 1

# Takes an advisory lock until the end of the transaction, with a limit on the wait that
# does not apply to the write itself. Each part depends on the one before, which fixes
# their order.
LOCK = """
WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS setting),
bounded AS MATERIALIZED (
    SELECT setting, set_config('lock_timeout', %s, true) FROM before
),
locked AS MATERIALIZED (SELECT setting, pg_advisory_xact_lock(%s) FROM bounded)
SELECT set_config('lock_timeout', setting, true) FROM locked
"""


@dataclass(frozen=True, slots=True)
class WriteResponse:
    """The response to a write: all that is needed to repeat it, byte for byte."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def key_of(request: HttpRequest) -> str | None:
    """Return the request's key, or None without one. Raises Problem 400 if it is invalid.

    The draft wants it in double quotes, which most clients leave out; with and without
    quotes, it is the same key. Two keys are invalid, as either could count.
    """
    value: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if value is None:
        return None
    if times_sent(request) > 1:
        raise invalid_key(value, "should be sent once: it was sent more than once")
    key = value
    if '"' in value:
        quoted = QUOTED.fullmatch(value)
        if quoted is None:
            raise invalid_key(
                value, 'should be one text in a pair of double quotes: "…"'
            )
        key = ESCAPED.sub(r"\1", quoted[1])
    if not KEY.fullmatch(key):
        raise invalid_key(
            value, "should be 1 to 255 visible ASCII characters, such as a random UUID"
        )
    return key


def times_sent(request: HttpRequest) -> int:
    """The number of headers of this name; 1 under WSGI, whose servers join them."""
    fields = getattr(request, "scope", {}).get("headers", ())
    return sum(name == FIELD_NAME for name, _ in fields) or 1


def invalid_key(value: str, message: str) -> Problem:
    return wrong_values([FieldError(HEADER, value, message)])


def fingerprint_of(request: HttpRequest) -> bytes:
    """SHA-256 of all that makes two requests the same, 32 bytes."""
    hashed = hashlib.sha256()
    for part in (
        (request.method or "").encode(),
        request.get_full_path().encode(),
        request.content_type.encode() if request.content_type else b"",
        request.body,
    ):
        # With its length, so that the parts cannot be divided differently.
        hashed.update(b"%d:" % len(part) + part)
    return hashed.digest()


def once(
    subject: str,
    key: str | None,
    fingerprint: bytes,
    write: Callable[[], WriteResponse],
) -> WriteResponse:
    """Call `write` in a transaction, once for each key of a subject, and return its response.

    If the same request is sent again, at the same time or within REMEMBERED_FOR, the
    response is that of the first. Raises Problem 422 if the key was used for a different
    request, and 409 if the first is still in progress after LOCK_SECONDS. If `write`
    raises an error or returns a status of 400 or more, its changes are rolled back.

    Blocks, like all code that uses the ORM.
    """
    # No savepoint: an error here fails the transaction around it too, if there is one.
    with transaction.atomic(savepoint=False):
        if key is None:
            return call(write)
        wait_for_turn(subject, key)
        now = timezone.now()
        remembered = RememberedAnswer.objects.filter(
            subject=subject, key=key, created__gt=now - REMEMBERED_FOR
        ).first()
        if remembered is not None:
            return repeated(remembered, fingerprint)
        response = call(write)
        if response.status < 400:
            store(subject, key, fingerprint, response, now)
            delete_some(before=now - REMEMBERED_FOR)
        return response


def call(write: Callable[[], WriteResponse]) -> WriteResponse:
    response = write()
    if response.status >= 400:
        transaction.set_rollback(True)
    return response


def wait_for_turn(subject: str, key: str) -> None:
    """Lock the subject's key until the transaction ends. Raises Problem 409."""
    hashed = hashlib.sha256(f"{subject} {key}".encode()).digest()
    lock = int.from_bytes(hashed[:8], signed=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [str(LOCK_SECONDS * 1000), lock])
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        raise Problem(
            409,
            f"The first request with the {HEADER} {key!r} is still in progress. "
            "Send it again later to get the response to that one.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from error


def repeated(remembered: RememberedAnswer, fingerprint: bytes) -> WriteResponse:
    """The stored response. Raises Problem 422 if it is of a different request."""
    if bytes(remembered.fingerprint) != fingerprint:
        message = (
            "was used for a different request. Send a new key with a new request, and "
            "repeat a key only with the request that it was first sent with."
        )
        error = FieldError(HEADER, remembered.key, message)
        raise wrong_values([error], 422)
    return WriteResponse(remembered.status, remembered.headers, bytes(remembered.body))


def store(
    subject: str, key: str, fingerprint: bytes, response: WriteResponse, now: datetime
) -> None:
    """Store the response, in place of one that has expired."""
    remembered = RememberedAnswer(
        subject=subject,
        key=key,
        fingerprint=fingerprint,
        status=response.status,
        headers=dict(response.headers),
        body=response.body,
        created=now,
    )
    RememberedAnswer.objects.bulk_create(
        [remembered],
        update_conflicts=True,
        unique_fields=["subject", "key"],
        update_fields=["fingerprint", "status", "headers", "body", "created"],
    )


def delete_some(before: datetime) -> None:
    """Delete a few expired responses, without waiting for those that others delete."""
    expired = (
        RememberedAnswer.objects.select_for_update(skip_locked=True)
        .filter(created__lte=before)
        .order_by("created")[:DELETED_A_WRITE]
    )
    RememberedAnswer.objects.filter(pk__in=expired.values("pk")).delete()
