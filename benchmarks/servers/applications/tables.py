"""What do the peers ask of the catalog's tables? What the book's listings 9.2 to 9.4 do."""

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
    """Connections to the database that DATABASE_URL names."""
    async with asyncpg.create_pool(
        environment.text("DATABASE_URL"), min_size=CONNECTIONS, max_size=CONNECTIONS
    ) as connections:
        yield connections
