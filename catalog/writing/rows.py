"""Inserting, updating and deleting one row with the ORM, in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import Model, ProtectedError
from django.http import HttpRequest
from psycopg.errors import CheckViolation, ForeignKeyViolation

from async_views.runtime.asgi.problem import Problem, wrong_values
from async_views.runtime.asgi.problem_details import FieldError, shortened
from catalog.documents.collections import Collection, not_found
from catalog.documents.queries import array_of
from catalog.documents.representation import (
    Representation,
    is_known,
    is_matched,
    represent,
)

# Values by the names of the model's fields.
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewRow:
    """The ID of a new row, and the document that a reader gets."""

    id: int
    representation: Representation


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditional headers of a write; None for one that is missing."""

    if_match: str | None
    if_none_match: str | None


def preconditions_of(request: HttpRequest) -> Preconditions:
    return Preconditions(
        request.META.get("HTTP_IF_MATCH"), request.META.get("HTTP_IF_NONE_MATCH")
    )


def insert(collection: Collection, columns: Columns) -> NewRow:
    row_id: int = collection.rows.create(**columns).pk
    return NewRow(row_id, representation_of(collection, row_id))


def update(
    collection: Collection, row_id: int, preconditions: Preconditions, columns: Columns
) -> Representation:
    """Return the document of the updated row. Raises Problem 404, 412 or 428."""
    lock_matching(collection, row_id, preconditions)
    if columns:
        collection.rows.filter(pk=row_id).update(**columns)
    return representation_of(collection, row_id)


def delete(collection: Collection, row_id: int, preconditions: Preconditions) -> None:
    """Raises Problem 404, 409, 412 or 428."""
    row = lock_matching(collection, row_id, preconditions)
    try:
        row.delete()
    except ProtectedError as error:
        raise Problem(
            409, f"The brand {row_id} still has products: move or delete them first."
        ) from error


def lock_matching(
    collection: Collection, row_id: int, preconditions: Preconditions
) -> Model:
    """Lock and return the row, if it exists and the preconditions hold.

    If-Match is evaluated before If-None-Match (RFC 9110, section 13.2.2), and neither
    if the response would be an error without them (section 13.2.1).
    """
    row: Model | None = collection.rows.select_for_update().filter(pk=row_id).first()
    if row is None:
        raise not_found(collection, row_id)
    if_match, if_none_match = preconditions.if_match, preconditions.if_none_match
    if if_match is None:
        raise Problem(
            428,
            "If-Match is missing: send the ETag that you last saw, so that no other "
            "change is lost.",
        )
    etag = representation_of(collection, row_id).etag
    if not is_matched(if_match, etag):
        raise Problem(
            412,
            f"The {collection.noun} {row_id} has changed since you last saw it: its "
            f"ETag is {etag}, and If-Match was {shortened(if_match)}. Get it again.",
            headers={"ETag": etag},
        )
    if if_none_match is not None and is_known(if_none_match, etag):
        raise Problem(
            412,
            f"The {collection.noun} {row_id} exists and its ETag is {etag}, which "
            f"If-None-Match rules out: it was {shortened(if_none_match)}. Leave it "
            "out of a request that changes something.",
            headers={"ETag": etag},
        )
    return row


def representation_of(collection: Collection, row_id: int) -> Representation:
    """The document that a reader gets, and so the same entity tag."""
    query = collection.by_id()
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.values({"ids": array_of([row_id])}))
        ((_, document),) = cursor.fetchall()
    return represent(document)


def violation(error: IntegrityError, columns: Columns) -> Problem | None:
    """The problem for a constraint that failed at the end of the transaction.

    Such as a new product whose brand does not exist, a deleted brand that got a product
    meanwhile, or a CHECK that only this database has. None if no client can have
    caused it.
    """
    cause = error.__cause__
    if isinstance(cause, CheckViolation):
        return Problem(
            400, f"The database's rule {cause.diag.constraint_name} refuses this."
        )
    if not isinstance(cause, ForeignKeyViolation):
        return None
    if "brand_id" not in columns:
        return Problem(409, "The brand still has products: move or delete them first.")
    return wrong_values(
        [FieldError("brand_id", str(columns["brand_id"]), "no brand has this ID")]
    )
