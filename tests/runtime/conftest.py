"""What the tests of the runtime share."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import uvloop
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from pytest_django import Settings

from tests.support.replaceable_views import views


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """asyncio's loop, and what pytest.mark.asyncio(loop_factories=[...]) may name."""
    loops = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    marker = item.get_closest_marker("asyncio")
    if marker is None or "loop_factories" not in marker.kwargs:
        del loops["uvloop"]
    return loops


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
