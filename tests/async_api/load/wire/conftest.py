"""Both event loops, since people run the generator on either."""

import asyncio

import pytest
import uvloop

from tests.async_api.load.wire.client import Run


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine in an event loop of its own."""
    return asyncio.run if request.param == "asyncio" else uvloop.run
