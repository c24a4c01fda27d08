"""What tests of the peers may have."""

from collections.abc import Iterator

import pytest

from benchmarks.servers.database import Database, example_database


@pytest.fixture(scope="package")
def database() -> Iterator[Database]:
    """The one that peers are compared over."""
    # So many that page 10,000 of ten products each has a next one, as page 1 has.
    with example_database(products=100_010) as database:
        yield database
