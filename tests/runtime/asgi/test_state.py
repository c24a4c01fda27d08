"""Resources of the lifespan are found by their key."""

import pytest
from django.test import AsyncRequestFactory, RequestFactory

from async_views.runtime.asgi.state import StateKey

GREETING = StateKey[str]("greeting")


def test_a_request_finds_the_resource_of_its_worker() -> None:
    request = AsyncRequestFactory().get("/")
    request.scope = {**request.scope, "state": {"greeting": "Hello."}}

    assert GREETING.find(request) == "Hello."
    assert GREETING.of(request.scope) == "Hello."


def test_without_a_lifespan_there_is_no_resource() -> None:
    assert GREETING.find(RequestFactory().get("/")) is None
    assert GREETING.find(AsyncRequestFactory().get("/")) is None
    with pytest.raises(KeyError):
        GREETING.of({"state": {}})
