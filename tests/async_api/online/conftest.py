"""Fixtures for the tests of users online."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from async_views.runtime.postgres import database


@pytest.fixture
async def connection(transactional_db: None) -> AsyncIterator[database.Connection]:
    """A connection to a database without leases."""
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as own:
        await own.execute("TRUNCATE online_lease")
        yield own
