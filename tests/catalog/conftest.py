"""Fixtures of the catalog's tests."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import apps

from tests.support.catalog.databases import new_database
from tests.support.catalog.service import Catalog
from tests.support.site import Site

OPEN_TO_ALL = {
    "CATALOG_WRITE_ACCESS": "anyone",
    "CATALOG_READS_A_MINUTE": "0",
    "CATALOG_WRITES_A_MINUTE": "0",
}


@pytest.fixture
def groups(db: None) -> None:
    """The groups of the migration; an earlier transactional test may have removed them."""
    import_module("catalog.migrations.0003_groups").create_groups(apps, None)


@pytest.fixture(scope="package")
def served(migrated: str) -> Iterator[Catalog]:
    """A site where anyone may write, on a database of its own."""
    with (
        new_database(migrated) as database,
        Site(DATABASE_URL=database, **OPEN_TO_ALL) as site,
    ):
        yield Catalog(site.url, database)


@pytest.fixture
def catalog(served: Catalog) -> Catalog:
    """The same, with empty tables."""
    served.empty()
    return served
