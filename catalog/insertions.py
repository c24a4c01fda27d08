"""How do new rows get into the database? Those that are made at the same time, together.

A row costs PostgreSQL less than the statement that brings it, and the transaction around
that. So requests that wait to insert share one statement (see runtime/coalesce.py), on
the worker's asynchronous pool, as reads share one. It is all or nothing: where PostgreSQL
refuses one of the rows it refuses all, and each is then made by itself (see writing.py),
which tells whose it was.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from django.http import HttpRequest

from async_views.runtime.coalesce import Batched
from async_views.runtime.database import is_unavailable
from catalog import questions
from catalog.questions import Question
from catalog.reads import MOST_ROWS_AT_ONCE, MOST_WAITING, Connect, ask
from catalog.representation import represent
from catalog.writes import BRANDS, Collection, Fields, Made


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What somebody wants in a new row; the same is wanted twice by two of these."""

    fields: Fields


class Insertions:
    """The catalog's new rows, for one event loop."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._brands = Batched(
            self._insert_brands,
            most_keys=MOST_ROWS_AT_ONCE,
            most_waiting=MOST_WAITING,
        )
        self._products = Batched(
            self._insert_products,
            most_keys=MOST_ROWS_AT_ONCE,
            most_waiting=MOST_WAITING,
        )

    async def insert(self, collection: Collection, fields: Fields) -> Made | None:
        """None where the row, or one beside it, was refused: none of them was made."""
        line = self._brands if collection is BRANDS else self._products
        return await line(Row(fields))

    async def _insert_brands(self, rows: Sequence[Row]) -> Mapping[Row, Made]:
        return await self._insert(questions.new_brands(), rows)

    async def _insert_products(self, rows: Sequence[Row]) -> Mapping[Row, Made]:
        return await self._insert(questions.new_products(), rows)

    async def _insert(
        self, question: Question, rows: Sequence[Row]
    ) -> Mapping[Row, Made]:
        columns = {name: [row.fields[name] for row in rows] for name in rows[0].fields}
        try:
            made = await ask(self._connect, question, **columns)
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


@asynccontextmanager
async def insertions(connect: Connect) -> AsyncIterator[Insertions]:
    """For the worker's lifespan."""
    yield Insertions(connect)


def insertions_of(request: HttpRequest) -> Insertions | None:
    """The worker's; None where there is no lifespan, and nobody else to wait with."""
    state = getattr(request, "scope", {}).get("state", {})
    found: Insertions | None = state.get("insertions")
    return found
