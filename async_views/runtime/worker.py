"""How does gunicorn run an ASGI application? With uvicorn, whose every end is bounded.

gunicorn.conf.py derives the worker it uses from `BoundedWorker` and says there what the
bounds are.
"""

import asyncio
import signal
import socket
import sys
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter
from uvicorn import Server
from uvicorn_worker import UvicornWorker

from async_views.runtime.http_protocol import DeadlineHttpProtocol

# gunicorn calls these two a quick shutdown: Ctrl-C, and `kill -QUIT`.
QUICK = (signal.SIGINT, signal.SIGQUIT)


class BoundedServer(Server):
    """A uvicorn server that a quick shutdown ends quickly.

    uvicorn itself gives Ctrl-C as long as SIGTERM, and takes no notice of SIGQUIT. It
    ends by cancelling what still runs; here that is told before that its client left.
    """

    quick_seconds = 2

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig in QUICK:
            self.config.timeout_graceful_shutdown = self.quick_seconds
        if sig == signal.SIGQUIT:
            # Not one of the signals that uvicorn raises again once it is done.
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        seconds = self.config.timeout_graceful_shutdown or self.quick_seconds
        # Some of the time is for the applications to end in order.
        cutting_off = asyncio.get_running_loop().call_later(
            max(seconds - 1, seconds / 2), self.cut_off
        )
        try:
            await super().shutdown(sockets)
        finally:
            cutting_off.cancel()

    def cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, DeadlineHttpProtocol):
                connection.cut_off()


class BoundedWorker(UvicornWorker):
    """Derive from it and set CONFIG_KWARGS: keyword arguments of uvicorn.Config."""

    CONFIG_KWARGS: dict[str, Any] = {"loop": "uvloop", "lifespan": "on"}

    async def _serve(self) -> None:
        # As in UvicornWorker, but for the server's class and what SIGQUIT does.
        self.config.app = self.wsgi
        server = BoundedServer(config=self.config)
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGQUIT, server.handle_exit, signal.SIGQUIT, None
        )
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
