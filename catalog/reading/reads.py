"""How is a read answered? With what the database says now, together with who else asks.

Requests that wait for the same answer share one asking (see runtime/waiting/coalesce.py), and
those that wait for single rows share one for many. So a worker asks each question once
at a time, however many clients there are, and no answer is older than its request.
"""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest

from async_views.runtime.asgi.state import StateKey
from async_views.runtime.postgres.database import Connection, connection
from async_views.runtime.waiting.coalesce import Batched, Coalesced
from catalog.documents import questions
from catalog.documents.questions import Question, array_of
from catalog.documents.representation import Representation, represent
from catalog.reading.listing import ListedBrand, ListedProduct, Listing
from catalog.reading.pagination import Page, Place, links

# More than as many clients as a worker can have would never fit.
MOST_WAITING = 10_000
MOST_ROWS_AT_ONCE = 500

Connect = Callable[[], AbstractAsyncContextManager[Connection]]
Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


def batched(
    ask: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Answer]]],
) -> Batched[Key, Answer]:
    """Within the bounds of a worker, whatever is asked of single rows."""
    return Batched(ask, max_keys=MOST_ROWS_AT_ONCE, max_waiting=MOST_WAITING)


class Reads:
    """The catalog's questions, for one event loop."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self.all_brands = Coalesced(self._all_brands, max_waiting=MOST_WAITING)
        self.brand = batched(self._brands)
        self.product = batched(self._products)
        self.skus = Coalesced(self._skus, max_waiting=MOST_WAITING)
        self.page = Coalesced(self._page, max_waiting=MOST_WAITING)
        self.listed_products = Coalesced(
            self._listed_products, max_waiting=MOST_WAITING
        )
        self.listed_brands = Coalesced(self._listed_brands, max_waiting=MOST_WAITING)

    async def _all_brands(self) -> Representation:
        ((document,),) = await self._ask(questions.all_brands())
        return represent(document)

    async def _brands(self, ids: Sequence[int]) -> Mapping[int, Representation]:
        return by_id(await self._ask(questions.brands_by_id(), ids=array_of(ids)))

    async def _products(self, ids: Sequence[int]) -> Mapping[int, Representation]:
        return by_id(await self._ask(questions.products_by_id(), ids=array_of(ids)))

    async def _skus(self, product_id: int) -> Representation:
        ((document,),) = await self._ask(questions.skus_of_product(), id=product_id)
        return represent(document)

    async def _page(self, page: Page) -> Representation:
        question = questions.page_of_products(page.order, **parts(page))
        rows, is_last = await self._rows(question, page)
        last = None if is_last else Place(*rows[-1][1:])
        document = f"[{','.join(row[0] for row in rows)}]"
        return represent(document, links(page, last))

    async def _listed_products(self, page: Page) -> Listing[ListedProduct]:
        question = questions.listing_of_products(page.order, **parts(page))
        rows, is_last = await self._rows(question, page)
        listed = tuple(ListedProduct(*row) for row in rows)
        return Listing(listed, None if is_last else onward(page, *rows[-1][:2]))

    async def _listed_brands(self, page: Page) -> Listing[ListedBrand]:
        question = questions.listing_of_brands(
            by_name=page.q is not None, onward=page.after is not None
        )
        rows, is_last = await self._rows(question, page)
        listed = tuple(ListedBrand(*row) for row in rows)
        return Listing(listed, None if is_last else onward(page, *rows[-1]))

    async def _rows(
        self, question: Question, page: Page
    ) -> tuple[list[tuple[Any, ...]], bool]:
        """Those of the page, and whether none come after them."""
        after = page.after or Place(0, "")
        # One more than asked for, as it shows whether there is a next page.
        rows = await self._ask(
            question,
            limit=page.limit + 1,
            brand_id=page.brand_id,
            q=page.q,
            id=after.id,
            name=after.name,
        )
        return rows[: page.limit], len(rows) <= page.limit

    async def _ask(self, question: Question, **given: Any) -> list[tuple[Any, ...]]:
        return await ask(self._connect, question, **given)


async def ask(
    connect: Connect, question: Question, **given: Any
) -> list[tuple[Any, ...]]:
    """The rows that answer it; raises TimeoutError after DATABASE_SECONDS."""
    async with asyncio.timeout(settings.DATABASE_SECONDS), connect() as borrowed:
        cursor = await borrowed.execute(question.sql, question.values(given))
        return await cursor.fetchall()


def parts(page: Page) -> dict[str, bool]:
    """Of which parts the question for a page is made."""
    return {
        "by_brand": page.brand_id is not None,
        "by_name": page.q is not None,
        "onward": page.after is not None,
    }


def onward(page: Page, number: int, name: str) -> Page:
    """The page after the one that ends with that row."""
    return replace(page, after=Place(number, name))


def by_id(rows: Sequence[tuple[Any, ...]]) -> Mapping[int, Representation]:
    return {number: represent(document) for number, document in rows}


READS = StateKey[Reads]("catalog")


@asynccontextmanager
async def reads(connect: Connect) -> AsyncIterator[Reads]:
    """For the worker's lifespan."""
    yield Reads(connect)


def reads_of(request: HttpRequest) -> Reads:
    """The worker's; where there is no lifespan, one for this request alone."""
    return READS.find(request) or Reads(partial(connection, request))
