"""How does a client that heard no answer ask again, without writing twice?

With an `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header-07 has it: an
expired draft, not an RFC, and the nearest thing to a standard.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/

What succeeded is remembered in the transaction that wrote it: there is a row and an
answer, or neither. What failed changed nothing and is not remembered, so that the same
key can be used to try again.
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
FIELD_NAME = HEADER.lower().encode()  # as ASGI has it
# Visible ASCII, 1 to 255 characters.
KEY = re.compile(r"[!-~]{1,255}")
# A string of RFC 8941, section 3.3.3.
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
ESCAPED = re.compile(r'\\(["\\])')

REMEMBERED_FOR = timedelta(hours=24)
# As many as every write may leave behind, and more: so the table ends up no longer than
# a day's writes, and no write has to clean up after all others.
FORGOTTEN_A_WRITE = 5

LOCK_SECONDS = 5
RETRY_AFTER_SECONDS = 1

# Each part needs the one before, which fixes their order: an advisory lock until the
# transaction's end, waited for no longer than so many milliseconds; what the write
# itself waits for is not bounded by that.
LOCK = """
WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS setting),
bounded AS MATERIALIZED (
    SELECT setting, set_config('lock_timeout', %s, true) FROM before
),
locked AS MATERIALIZED (SELECT setting, pg_advisory_xact_lock(%s) FROM bounded)
SELECT set_config('lock_timeout', setting, true) FROM locked
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answers: enough to say it again, byte by byte."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def key_of(request: HttpRequest) -> str | None:
    """The request's key, None where it names none; raises Problem 400 for no key at all.

    The draft wants it in double quotes, which most who send one leave out; both are the
    same key. Two keys would leave open which of them counts.
    """
    value: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if value is None:
        return None
    if times_sent(request) > 1:
        raise no_key(value, "should be sent once: it was sent more than once")
    key = value
    if '"' in value:
        quoted = QUOTED.fullmatch(value)
        if quoted is None:
            raise no_key(value, 'should be one text in a pair of double quotes: "…"')
        key = ESCAPED.sub(r"\1", quoted[1])
    if not KEY.fullmatch(key):
        raise no_key(
            value, "should be 1 to 255 visible ASCII characters, such as a random UUID"
        )
    return key


def times_sent(request: HttpRequest) -> int:
    """How many fields of that name; 1 under WSGI, whose servers join them."""
    fields = getattr(request, "scope", {}).get("headers", ())
    return sum(name == FIELD_NAME for name, _ in fields) or 1


def no_key(value: str, message: str) -> Problem:
    return wrong_values([FieldError(HEADER, value, message)])


def fingerprint_of(request: HttpRequest) -> bytes:
    """32 bytes that two requests share only if they ask for the same."""
    hashed = hashlib.sha256()
    for part in (
        (request.method or "").encode(),
        request.get_full_path().encode(),
        request.content_type.encode() if request.content_type else b"",
        request.body,
    ):
        # With its length, so that no part can pass for the end of the one before.
        hashed.update(b"%d:" % len(part) + part)
    return hashed.digest()


def once(
    subject: str, key: str | None, fingerprint: bytes, write: Callable[[], Answer]
) -> Answer:
    """The answer of `write`, which is called in a transaction, once for a subject's key.

    Whoever sends the same again, at the same time or within REMEMBERED_FOR, gets the
    first one's answer. Raises Problem 422 where the key stands for another request, and
    409 where the first has not been answered within LOCK_SECONDS. An error that `write`
    raises, or an answer of 400 or more, takes back what it wrote.

    Blocks; to be called where the ORM may be.
    """
    # What fails here fails the transaction around it, where there is one, just as well.
    with transaction.atomic(savepoint=False):
        if key is None:
            return written(write)
        wait_for_turn(subject, key)
        now = timezone.now()
        remembered = RememberedAnswer.objects.filter(
            subject=subject, key=key, created__gt=now - REMEMBERED_FOR
        ).first()
        if remembered is not None:
            return again(remembered, fingerprint)
        answer = written(write)
        if answer.status < 400:
            remember(subject, key, fingerprint, answer, now)
            forget(now - REMEMBERED_FOR)
        return answer


def written(write: Callable[[], Answer]) -> Answer:
    answer = write()
    if answer.status >= 400:
        transaction.set_rollback(True)
    return answer


def wait_for_turn(subject: str, key: str) -> None:
    """Locks the subject's key until the transaction ends; raises Problem 409."""
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
            f"The first request with the {HEADER} {key!r} is still under way. "
            "Send it again later, and it will be answered as that one was.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from error


def again(remembered: RememberedAnswer, fingerprint: bytes) -> Answer:
    if bytes(remembered.fingerprint) != fingerprint:
        message = (
            "was sent with another request before. Send a new key with a new request, "
            "and an old key only with what it was first sent with."
        )
        error = FieldError(HEADER, remembered.key, message)
        raise wrong_values([error], 422)
    return Answer(remembered.status, remembered.headers, bytes(remembered.body))


def remember(
    subject: str, key: str, fingerprint: bytes, answer: Answer, now: datetime
) -> None:
    """Keeps the answer, in place of one that has been kept for too long."""
    remembered = RememberedAnswer(
        subject=subject,
        key=key,
        fingerprint=fingerprint,
        status=answer.status,
        headers=dict(answer.headers),
        body=answer.body,
        created=now,
    )
    RememberedAnswer.objects.bulk_create(
        [remembered],
        update_conflicts=True,
        unique_fields=["subject", "key"],
        update_fields=["fingerprint", "status", "headers", "body", "created"],
    )


def forget(before: datetime) -> None:
    """Deletes a few that were kept for long enough, and that nobody else is deleting."""
    old = (
        RememberedAnswer.objects.select_for_update(skip_locked=True)
        .filter(created__lte=before)
        .order_by("created")[:FORGOTTEN_A_WRITE]
    )
    RememberedAnswer.objects.filter(pk__in=old.values("pk")).delete()
