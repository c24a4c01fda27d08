"""Inserts of several requests in one statement, on the worker's asynchronous pool.

A row costs PostgreSQL less than a statement and its transaction, so requests that insert
at the same time share them (see `runtime/waiting/coalesce.py`). If PostgreSQL refuses
one of the rows, none is inserted. Each request then inserts its own (see `writes.py`),
which shows which of them is refused.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
from django.http import HttpRequest

from async_views.runtime.asgi.state import StateKey
from async_views.runtime.postgres.database import is_unavailable
from catalog.documents import queries
from catalog.documents.collections import BRANDS, PRODUCTS, Collection
from catalog.documents.queries import Query
from catalog.documents.representation import represent
from catalog.reading.reads import Connect, batched, fetch
from catalog.writing.rows import Columns, NewRow


@dataclass(frozen=True, slots=True, eq=False)
class Insert:
    """One row to insert. Two inserts of equal columns are two rows, so never equal."""

    columns: Columns


class BatchedInserts:
    """The inserts of one event loop."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._batches = {
            BRANDS: batched(partial(self._insert, queries.insert_brands)),
            PRODUCTS: batched(partial(self._insert, queries.insert_products)),
        }

    async def insert(self, collection: Collection, columns: Columns) -> NewRow | None:
        """None if this row or another of its batch was refused: none was inserted."""
        return await self._batches[collection](Insert(columns))

    async def _insert(
        self, query: Callable[[], Query], inserts: Sequence[Insert]
    ) -> Mapping[Insert, NewRow]:
        arrays = {
            name: [each.columns[name] for each in inserts]
            for name in inserts[0].columns
        }
        try:
            rows = await fetch(self._connect, query(), **arrays)
        except psycopg.Error as error:
            # If the server did not respond, the rows may or may not have been inserted.
            if is_unavailable(error):
                raise
            return {}
        # PostgreSQL returns the rows in order; Django's bulk_create relies on that too.
        return {
            each: NewRow(row_id, represent(document))
            for each, (row_id, document) in zip(inserts, rows, strict=True)
        }


BATCHED_INSERTS = StateKey[BatchedInserts]("batched_inserts")


@asynccontextmanager
async def batched_inserts(connect: Connect) -> AsyncIterator[BatchedInserts]:
    """For the worker's lifespan."""
    yield BatchedInserts(connect)


def batched_inserts_of(request: HttpRequest) -> BatchedInserts | None:
    """The worker's; None without a lifespan, where no requests can be batched."""
    return BATCHED_INSERTS.find(request)
