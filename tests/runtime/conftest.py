"""Fixtures for the tests of the runtime."""

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
    """asyncio's loop, and others for pytest.mark.asyncio(loop_factories=[...])."""
    loops = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    marker = item.get_closest_marker("asyncio")
    if marker is None or "loop_factories" not in marker.kwargs:
        del loops["uvloop"]
    return loops


@pytest.fixture
def database(transactional_db: None) -> Iterator[None]:
    """The database; closes the connections of other threads after the test."""
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
    """No middleware and no views but those that a test sets."""
    settings.MIDDLEWARE = []
    yield
    views.clear()
