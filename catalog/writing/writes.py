"""How is a row made, changed or deleted? By the ORM, in a transaction that the caller opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import Model, ProtectedError
from django.http import HttpRequest
from psycopg.errors import CheckViolation, ForeignKeyViolation

from async_views.runtime.asgi.problem import Problem, wrong_values
from async_views.runtime.asgi.problem_details import FieldError, shortened
from catalog.documents.collections import Collection, missing
from catalog.documents.questions import array_of
from catalog.documents.representation import (
    Representation,
    is_known,
    is_matched,
    represent,
)

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A new row: its number, and what a reader gets of it."""

    identity: int
    representation: Representation


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What a client says of the row that it changes; None where it says nothing."""

    if_match: str | None
    if_none_match: str | None


def preconditions_of(request: HttpRequest) -> Preconditions:
    return Preconditions(
        request.META.get("HTTP_IF_MATCH"), request.META.get("HTTP_IF_NONE_MATCH")
    )


def create(collection: Collection, fields: Fields) -> Made:
    identity: int = collection.rows.create(**fields).pk
    return Made(identity, represented(collection, identity))


def change(
    collection: Collection, identity: int, preconditions: Preconditions, fields: Fields
) -> Representation:
    """What a reader gets of the changed row. Raises Problem 404, 412 or 428."""
    require_match(collection, identity, preconditions)
    if fields:
        collection.rows.filter(pk=identity).update(**fields)
    return represented(collection, identity)


def delete(collection: Collection, identity: int, preconditions: Preconditions) -> None:
    """Raises Problem 404, 409, 412 or 428."""
    row = require_match(collection, identity, preconditions)
    try:
        row.delete()
    except ProtectedError as error:
        raise still_needed(identity) from error


def require_match(
    collection: Collection, identity: int, preconditions: Preconditions
) -> Model:
    """The row, locked: it is there, and the client has seen it as it is.

    If-Match is evaluated before If-None-Match (RFC 9110, section 13.2.2), and neither
    where the answer would be an error without them (section 13.2.1).
    """
    row: Model | None = collection.rows.select_for_update().filter(pk=identity).first()
    if row is None:
        raise missing(collection, identity)
    if_match, if_none_match = preconditions.if_match, preconditions.if_none_match
    if if_match is None:
        raise Problem(
            428,
            "If-Match is missing: send the ETag of what you have seen, so that nobody's "
            "change is lost.",
        )
    etag = represented(collection, identity).etag
    if not is_matched(if_match, etag):
        raise Problem(
            412,
            f"The {collection.noun} {identity} is not as you have seen it any more: its "
            f"ETag is {etag}, and If-Match was {shortened(if_match)}. Get it again.",
            headers={"ETag": etag},
        )
    if if_none_match is not None and is_known(if_none_match, etag):
        raise Problem(
            412,
            f"The {collection.noun} {identity} is there and its ETag is {etag}, which "
            f"If-None-Match rules out: it was {shortened(if_none_match)}. Leave it "
            "out of a request that changes something.",
            headers={"ETag": etag},
        )
    return row


def represented(collection: Collection, identity: int) -> Representation:
    """The document that a reader gets, and so the same entity tag."""
    question = collection.by_id()
    with connection.cursor() as cursor:
        cursor.execute(question.sql, question.values({"ids": array_of([identity])}))
        ((_, document),) = cursor.fetchall()
    return represent(document)


def still_needed(brand_id: int | str) -> Problem:
    return Problem(
        409,
        f"The brand {brand_id} still has products: move or delete them first.",
    )


def refusal(error: IntegrityError, fields: Fields) -> Problem | None:
    """What the client got wrong, where the database says so only at the end.

    Of a new or changed product, its brand; of a deleted brand, that meanwhile it got a
    product; of any row, a rule that only this database has. None for what no client
    can have caused.
    """
    cause = error.__cause__
    if isinstance(cause, CheckViolation):
        return Problem(
            400, f"The database's rule {cause.diag.constraint_name} refuses this."
        )
    if not isinstance(cause, ForeignKeyViolation):
        return None
    if "brand_id" not in fields:
        return Problem(409, "The brand still has products: move or delete them first.")
    message = "no brand has this number"
    wrong = FieldError("brand_id", str(fields["brand_id"]), message)
    return wrong_values([wrong])
