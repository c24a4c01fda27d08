"""A worker has all its resources from start to shutdown, or does not start."""

import asyncio
import logging
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from async_views.runtime.asgi.lifespan import Lifespan, State
from async_views.runtime.asgi.types import Application, Message, Receive, Scope, Send
from tests.support.servers import serve_asgi


class Diary:
    """Resources that record when they are opened and closed."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    @asynccontextmanager
    async def good(self, name: str) -> AsyncIterator[str]:
        self.entries.append(f"open {name}")
        yield f"the {name}"
        self.entries.append(f"close {name}")

    @asynccontextmanager
    async def broken(self, name: str) -> AsyncIterator[str]:
        refuse(name)
        yield name

    @asynccontextmanager
    async def stuck(self, name: str) -> AsyncIterator[str]:
        yield name
        raise ConnectionError(f"{name} says: not yet")


def refuse(name: str) -> None:
    raise ConnectionError(f"{name} says:\nnot today.")


def site(lifespan: Lifespan) -> Application:
    """An application that responds with the contents of its state."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(scope, receive, send)
            return
        state = ", ".join(f"{name}: {value}" for name, value in scope["state"].items())
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": state.encode()})

    return answer


def errors(caplog: pytest.LogCaptureFixture, logger: str) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == logger and record.levelno == logging.ERROR
    ]


def test_a_resource_may_use_the_earlier_ones() -> None:
    diary = Diary()
    lifespan = Lifespan(
        {
            "pool": lambda state: diary.good("pool"),
            "bus": lambda state: diary.good(f"bus over {state['pool']}"),
        }
    )

    with serve_asgi(site(lifespan), lifespan="on"):
        pass

    assert diary.entries[:2] == ["open pool", "open bus over the pool"]


def test_resources_open_in_order_and_close_in_reverse() -> None:
    diary = Diary()
    lifespan = Lifespan(
        {
            "pool": lambda state: diary.good("pool"),
            "bus": lambda state: diary.good("bus"),
        }
    )

    with serve_asgi(site(lifespan), lifespan="on"):
        diary.entries.append("serve")

    assert diary.entries == [
        "open pool",
        "open bus",
        "serve",
        "close bus",
        "close pool",
    ]


def test_a_request_finds_the_resources_in_its_state() -> None:
    diary = Diary()
    lifespan = Lifespan({"pool": lambda state: diary.good("pool")})

    with serve_asgi(site(lifespan), lifespan="on") as server:
        with urllib.request.urlopen(server.url) as response:
            state = response.read()

    assert state == b"pool: the pool"


def test_a_resource_finds_the_earlier_ones() -> None:
    diary = Diary()
    lifespan = Lifespan(
        {
            "pool": lambda state: diary.good("pool"),
            "bus": lambda state: diary.good(f"bus with {state['pool']}"),
        }
    )

    with serve_asgi(site(lifespan), lifespan="on"):
        pass

    assert diary.entries == [
        "open pool",
        "open bus with the pool",
        "close bus with the pool",
        "close pool",
    ]


def test_an_application_without_resources_starts() -> None:
    with serve_asgi(site(Lifespan({})), lifespan="on") as server:
        with urllib.request.urlopen(server.url) as response:
            assert response.status == 200


@pytest.mark.parametrize("lifespan_option", ["on", "auto"])
def test_a_resource_that_fails_to_open_stops_the_start_and_closes_the_others(
    lifespan_option: str, caplog: pytest.LogCaptureFixture
) -> None:
    diary = Diary()
    lifespan = Lifespan(
        {
            "pool": lambda state: diary.good("pool"),
            "bus": lambda state: diary.broken("bus"),
            "clock": lambda state: diary.good("clock"),
        }
    )

    with pytest.raises(RuntimeError, match="did not start"):
        with serve_asgi(site(lifespan), lifespan=lifespan_option):
            pytest.fail("The site was served by half.")

    assert diary.entries == ["open pool", "close pool"]
    sentence = "The resource 'bus' did not open: ConnectionError: bus says: not today."
    assert sentence in errors(caplog, "uvicorn.error")


def test_under_debug_the_log_has_the_traceback_of_a_failed_resource(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "async_views.runtime.asgi.lifespan")

    def unopenable(state: State) -> AbstractAsyncContextManager[object]:
        raise OSError("no such host")

    with pytest.raises(RuntimeError, match="did not start"):
        with serve_asgi(site(Lifespan({"pool": unopenable})), lifespan="on"):
            pytest.fail("The site was served by half.")

    (record,) = (
        r for r in caplog.records if r.name == "async_views.runtime.asgi.lifespan"
    )
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], OSError)


def test_a_resource_that_fails_to_close_does_not_keep_others_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    diary = Diary()
    lifespan = Lifespan(
        {
            "pool": lambda state: diary.good("pool"),
            "bus": lambda state: diary.stuck("bus"),
            "clock": lambda state: diary.stuck("clock"),
        }
    )

    with serve_asgi(site(lifespan), lifespan="on"):
        pass

    assert diary.entries == ["open pool", "close pool"]
    assert errors(caplog, "uvicorn.error") == [
        "The resource 'clock' did not close: ConnectionError: clock says: not yet. "
        "The resource 'bus' did not close: ConnectionError: bus says: not yet.",
        "Application shutdown failed. Exiting.",
    ]


async def test_resources_are_closed_if_the_server_sends_no_shutdown_message() -> None:
    diary = Diary()
    lifespan = Lifespan({"pool": lambda state: diary.good("pool")})
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    scope: Scope = {"type": "lifespan", "state": {}}
    server = asyncio.create_task(lifespan(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    assert await outbox.get() == {"type": "lifespan.startup.complete"}

    server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server

    assert diary.entries == ["open pool", "close pool"]
