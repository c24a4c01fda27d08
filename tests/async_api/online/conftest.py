"""What the tests of users online share."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from async_views.runtime.postgres import database


@pytest.fixture
async def connection(transactional_db: None) -> AsyncIterator[database.Connection]:
    """To a database where nobody has a lease."""
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as own:
        await own.execute("TRUNCATE online_lease")
        yield own
