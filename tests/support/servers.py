"""Real servers for the tests, each in a thread."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn

from async_views.runtime.asgi.types import Application

SECONDS_TO_START = 60
SECONDS_TO_STOP = 60


@dataclass(frozen=True)
class Served:
    """The address of a test server."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class ThreadedServer(uvicorn.Server):
    """A uvicorn server that can be awaited and stopped from another thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()
        self.failures: list[str] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopping = asyncio.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        factory = self.config.get_loop_factory()
        try:
            with asyncio.Runner(debug=True, loop_factory=factory) as runner:
                self.loop = runner.get_loop()
                self.loop.set_exception_handler(self.note_failure)
                runner.run(self.serve(sockets))
        except SystemExit:
            # Uvicorn exits if it cannot start; then `started` is false.
            pass
        finally:
            self.settled.set()

    def note_failure(
        self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
    ) -> None:
        # By default, the loop only logs exceptions of callbacks.
        self.failures.append(f"{context['message']}: {context.get('exception')!r}")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    async def main_loop(self) -> None:
        # Uvicorn's loop polls ten times per second whether it should exit, which would delay
        # the many servers of the tests.
        await self.on_tick(0)
        await self.stopping.wait()

    def stop(self) -> None:
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.stopping.set)


@contextlib.contextmanager
def serve_asgi(app: Application, **options: Any) -> Iterator[Served]:
    """Serves the application on a free port of 127.0.0.1, in a thread of its own.

    ``options`` are those of ``uvicorn.Config``. Raises ``RuntimeError`` if the server
    does not start or stop, or if a callback in its event loop failed.
    """
    options = {
        "lifespan": "off",
        "log_config": None,
        "timeout_graceful_shutdown": 4,
    } | options
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ThreadedServer(uvicorn.Config(app, **options))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            if not server.settled.wait(SECONDS_TO_START) or not server.started:
                raise RuntimeError("The server did not start.")
            yield Served(*listener.getsockname())
        finally:
            server.stop()
            thread.join(SECONDS_TO_STOP)
    if thread.is_alive():
        raise RuntimeError("The server did not stop.")
    if server.failures:
        raise RuntimeError(" ".join(server.failures))
