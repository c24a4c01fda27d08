"""What tests of the peers may have."""

from collections.abc import Iterator

import pytest

from benchmarks.database import Database, example_database


@pytest.fixture(scope="package")
def database() -> Iterator[Database]:
    """The one that peers are compared over."""
    with example_database() as database:
        yield database
