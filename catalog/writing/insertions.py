"""How do new rows get into the database? Those that are made at the same time, together.

A row costs PostgreSQL less than the statement that brings it, and the transaction around
that. So requests that wait to insert share one statement (see runtime/waiting/coalesce.py), on
the worker's asynchronous pool, as reads share one. It is all or nothing: where PostgreSQL
refuses one of the rows it refuses all, and each is then made by itself (see writing.py),
which tells whose it was.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
from django.http import HttpRequest

from async_views.runtime.asgi.state import StateKey
from async_views.runtime.postgres.database import is_unavailable
from catalog.documents import questions
from catalog.documents.collections import BRANDS, PRODUCTS, Collection
from catalog.documents.questions import Question
from catalog.documents.representation import represent
from catalog.reading.reads import Connect, ask, batched
from catalog.writing.writes import Fields, Made


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What somebody wants in a new row; the same is wanted twice by two of these."""

    fields: Fields


class Insertions:
    """The catalog's new rows, for one event loop."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._lines = {
            BRANDS: batched(partial(self._insert, questions.new_brands)),
            PRODUCTS: batched(partial(self._insert, questions.new_products)),
        }

    async def insert(self, collection: Collection, fields: Fields) -> Made | None:
        """None where the row, or one beside it, was refused: none of them was made."""
        return await self._lines[collection](Row(fields))

    async def _insert(
        self, question: Callable[[], Question], rows: Sequence[Row]
    ) -> Mapping[Row, Made]:
        columns = {name: [row.fields[name] for row in rows] for name in rows[0].fields}
        try:
            made = await ask(self._connect, question(), **columns)
        except psycopg.Error as error:
            # Without the server's word for it nobody knows what became of the rows.
            if is_unavailable(error):
                raise
            return {}
        # PostgreSQL returns them in the order they came, as Django's bulk_create has it.
        return {
            row: Made(identity, represent(document))
            for row, (identity, document) in zip(rows, made, strict=True)
        }


INSERTIONS = StateKey[Insertions]("insertions")


@asynccontextmanager
async def insertions(connect: Connect) -> AsyncIterator[Insertions]:
    """For the worker's lifespan."""
    yield Insertions(connect)


def insertions_of(request: HttpRequest) -> Insertions | None:
    """The worker's; None where there is no lifespan, and nobody else to wait with."""
    return INSERTIONS.find(request)
