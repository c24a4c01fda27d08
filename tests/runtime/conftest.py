"""What the tests of the runtime share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from pytest_django import Settings

from tests.runtime.replaceable_views import views


@pytest.fixture
def database(transactional_db: None) -> Iterator[None]:
    """The database, and an end to the connections that other threads keep to it."""
    opened: list[BaseDatabaseWrapper] = []

    def note(connection: BaseDatabaseWrapper, **named: Any) -> None:
        opened.append(connection)

    connection_created.connect(note)
    yield
    connection_created.disconnect(note)
    for each in opened:
        each.inc_thread_sharing()
        each.close()


@pytest.fixture
def bare(settings: Settings) -> Iterator[None]:
    """No middleware but what a test asks for, and no view either."""
    settings.MIDDLEWARE = []
    yield
    views.clear()
