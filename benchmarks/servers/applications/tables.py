"""The queries of the peers on the catalog's tables, as in the book's listings 9.2 to 9.4."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from async_views.runtime.configuration import environment

ALL_BRANDS = "SELECT brand_id, brand_name FROM brand"
ONE_PRODUCT = (
    "SELECT product_id, product_name, brand_id FROM product WHERE product_id = $1"
)
NEW_PRODUCT = (
    "INSERT INTO product (product_id, product_name, brand_id) VALUES (DEFAULT, $1, $2)"
)

CONNECTIONS = 6  # as in the book


@asynccontextmanager
async def pool() -> AsyncIterator[asyncpg.Pool]:
    """A pool of connections to the database in DATABASE_URL."""
    async with asyncpg.create_pool(
        environment.text("DATABASE_URL"), min_size=CONNECTIONS, max_size=CONNECTIONS
    ) as connections:
        yield connections
