"""Fixtures for tests of the peers."""

from collections.abc import Iterator

import pytest

from benchmarks.servers.database import Database, example_database


@pytest.fixture(scope="package")
def database() -> Iterator[Database]:
    """The database of the peers, with fewer products."""
    # Enough for page 10,000, of ten products per page, to have a next page.
    with example_database(products=100_010) as database:
        yield database
