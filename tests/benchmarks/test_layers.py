"""The costs of the layers add up to the cost of the request."""

import subprocess
import sys

import pytest

from async_views import settings
from async_views.runtime.asgi.types import Application, Receive, Scope, Send
from benchmarks.layers import DOCUMENT, Layer, costs
from benchmarks.results.document import block
from benchmarks.servers.server import CHECKOUT

MIDDLEWARE = [path.rpartition(".")[2] for path in settings.MIDDLEWARE]


def busy(turns: int) -> Application:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(turns):
            pass

    return application


def test_the_cost_of_a_layer_is_the_difference_to_the_next_application() -> None:
    found = costs((Layer("outer", busy(5_000)), Layer("inner", busy(500))), rounds=2)

    assert list(found) == ["total", "outer", "inner"]
    for whole, outer, inner in zip(*found.values(), strict=True):
        assert whole == pytest.approx(outer + inner)
        assert outer > inner > 0


def test_every_middleware_is_a_layer_and_the_last_layer_is_django() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.layers", "--rounds=1"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )

    named = [line.split("  ")[1] for line in finished.stdout.splitlines()[1:]]
    assert named[2:-2] == MIDDLEWARE[::-1]
    assert named[-1] == "request, resolver, view, response"


def test_the_document_has_every_layer() -> None:
    table = block(DOCUMENT.read_text(), "layers")

    assert [line.split(" | ")[0][2:] for line in table.splitlines()[4:-2]] == (
        MIDDLEWARE[::-1]
    )
