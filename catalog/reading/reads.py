"""Reads from the database, shared by the requests that wait for them.

Requests for the same document share one query (see `runtime/waiting/coalesce.py`), and
requests for single rows share one for many rows. So a worker runs each query once at a
time, however many clients there are, and no response is older than its request.
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
from catalog.documents import queries
from catalog.documents.queries import Query, array_of
from catalog.documents.representation import Representation, represent
from catalog.reading.listing import ListedBrand, ListedProduct, Listing
from catalog.reading.pagination import Page, Position, links

# As many as a worker can have clients.
MAX_WAITING = 10_000
MAX_ROWS_AT_ONCE = 500

Connect = Callable[[], AbstractAsyncContextManager[Connection]]
Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


def batched(
    work: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Row]]],
) -> Batched[Key, Row]:
    """Share `work` for many rows among requests for one each, within a worker's limits."""
    return Batched(work, max_keys=MAX_ROWS_AT_ONCE, max_waiting=MAX_WAITING)


class Reads:
    """The reads of one event loop."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self.all_brands = Coalesced(self._all_brands, max_waiting=MAX_WAITING)
        self.brand = batched(self._brands)
        self.product = batched(self._products)
        self.skus = Coalesced(self._skus, max_waiting=MAX_WAITING)
        self.page = Coalesced(self._page, max_waiting=MAX_WAITING)
        self.listed_products = Coalesced(self._listed_products, max_waiting=MAX_WAITING)
        self.listed_brands = Coalesced(self._listed_brands, max_waiting=MAX_WAITING)

    async def _all_brands(self) -> Representation:
        ((document,),) = await self._fetch(queries.all_brands())
        return represent(document)

    async def _brands(self, ids: Sequence[int]) -> Mapping[int, Representation]:
        return by_id(await self._fetch(queries.brands_by_id(), ids=array_of(ids)))

    async def _products(self, ids: Sequence[int]) -> Mapping[int, Representation]:
        return by_id(await self._fetch(queries.products_by_id(), ids=array_of(ids)))

    async def _skus(self, product_id: int) -> Representation:
        ((document,),) = await self._fetch(queries.skus_of_product(), id=product_id)
        return represent(document)

    async def _page(self, page: Page) -> Representation:
        query = queries.page_of_products(page.order, **parts(page))
        rows, is_last = await self._rows(query, page)
        last = None if is_last else Position(*rows[-1][1:])
        document = f"[{','.join(row[0] for row in rows)}]"
        return represent(document, links(page, last))

    async def _listed_products(self, page: Page) -> Listing[ListedProduct]:
        query = queries.listing_of_products(page.order, **parts(page))
        rows, is_last = await self._rows(query, page)
        listed = tuple(ListedProduct(*row) for row in rows)
        return Listing(listed, None if is_last else page_after(page, *rows[-1][:2]))

    async def _listed_brands(self, page: Page) -> Listing[ListedBrand]:
        query = queries.listing_of_brands(
            by_name=page.q is not None, after=page.after is not None
        )
        rows, is_last = await self._rows(query, page)
        listed = tuple(ListedBrand(*row) for row in rows)
        return Listing(listed, None if is_last else page_after(page, *rows[-1]))

    async def _rows(
        self, query: Query, page: Page
    ) -> tuple[list[tuple[Any, ...]], bool]:
        """The rows of the page, and whether it is the last page."""
        after = page.after or Position(0, "")
        # One row more than the page has shows whether there is a next page.
        rows = await self._fetch(
            query,
            limit=page.limit + 1,
            brand_id=page.brand_id,
            q=page.q,
            id=after.id,
            name=after.name,
        )
        return rows[: page.limit], len(rows) <= page.limit

    async def _fetch(self, query: Query, **given: Any) -> list[tuple[Any, ...]]:
        return await fetch(self._connect, query, **given)


async def fetch(connect: Connect, query: Query, **given: Any) -> list[tuple[Any, ...]]:
    """Return all rows of the query. Raises TimeoutError after DATABASE_SECONDS."""
    async with asyncio.timeout(settings.DATABASE_SECONDS), connect() as borrowed:
        cursor = await borrowed.execute(query.sql, query.values(given))
        return await cursor.fetchall()


def parts(page: Page) -> dict[str, bool]:
    """The optional parts of the query for a page."""
    return {
        "by_brand": page.brand_id is not None,
        "by_name": page.q is not None,
        "after": page.after is not None,
    }


def page_after(page: Page, row_id: int, name: str) -> Page:
    """The page after the one that ends with this row."""
    return replace(page, after=Position(row_id, name))


def by_id(rows: Sequence[tuple[Any, ...]]) -> Mapping[int, Representation]:
    return {row_id: represent(document) for row_id, document in rows}


READS = StateKey[Reads]("catalog")


@asynccontextmanager
async def reads(connect: Connect) -> AsyncIterator[Reads]:
    """For the worker's lifespan."""
    yield Reads(connect)


def reads_of(request: HttpRequest) -> Reads:
    """The worker's; without a lifespan, new ones for this request alone."""
    return READS.find(request) or Reads(partial(connection, request))
