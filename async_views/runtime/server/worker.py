"""How does gunicorn run an ASGI application? With uvicorn, whose every end is bounded.

gunicorn.conf.py derives the worker it uses from `BoundedWorker` and says there what the
bounds are.
"""

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter
from uvicorn import Config, Server
from uvicorn_worker import UvicornWorker

from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from async_views.runtime.server.succession import Acceptance

# A client that acknowledges nothing of what it was sent, or has no room for it, is gone
# after so long. Whatever is answered, and to whom: the last net, below all others.
UNACKNOWLEDGED_SECONDS = 30

# gunicorn calls these two a quick shutdown: Ctrl-C, and `kill -QUIT`.
QUICK = (signal.SIGINT, signal.SIGQUIT)


class BoundedServer(Server):
    """A uvicorn server that a quick shutdown ends quickly.

    uvicorn itself gives Ctrl-C as long as SIGTERM, and takes no notice of SIGQUIT. It
    ends by cancelling what still runs; here that is told before that its client left.
    """

    quick_seconds = 1

    def __init__(self, config: Config, master: int, acceptance: Acceptance) -> None:
        super().__init__(config)
        self.master = master
        self.acceptance = acceptance

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.acceptance.begin()

    async def on_tick(self, counter: int) -> bool:
        # A worker whose master was killed would keep the port, and nobody would know.
        return await super().on_tick(counter) or os.getppid() != self.master

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
        loop = asyncio.get_running_loop()
        cutting_off = loop.call_later(seconds, self.cut_off)
        # What was accepted at the last moment has not been connected by then.
        telling = loop.call_later(0.1, self.tell_to_leave)
        # One more second is for the applications to end in order.
        self.config.timeout_graceful_shutdown = seconds + 1
        try:
            # Without the sockets, which the loop's servers close.
            await super().shutdown()
        finally:
            telling.cancel()
            cutting_off.cancel()

    def tell_to_leave(self) -> None:
        for connection in list(self.server_state.connections):
            connection.shutdown()

    def cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, DeadlineHttpProtocol):
                connection.cut_off()


class BoundedWorker(UvicornWorker):
    """Derive from it and set CONFIG_KWARGS: keyword arguments of uvicorn.Config."""

    CONFIG_KWARGS: dict[str, Any] = {"loop": "uvloop", "lifespan": "on"}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.acceptance = Acceptance()

    def load_wsgi(self) -> None:
        super().load_wsgi()  # type: ignore[no-untyped-call]
        # What is loaded by now stays. Left to the collector, it would be walked again
        # and again while requests wait: 40 ms each time, with Django and the admin.
        gc.collect()
        gc.freeze()
        # Requests leave no cycles behind: what is young is mostly still in use.
        gc.set_threshold(20_000)
        raise_open_files()

    async def _serve(self) -> None:
        # As in UvicornWorker, but for the server's class and what SIGQUIT does.
        self.config.app = self.wsgi
        # Not gunicorn's objects around them, which uvloop would close after it has closed
        # what is in them.
        sockets = [listener.sock for listener in self.sockets]
        bound_unacknowledged(sockets, UNACKNOWLEDGED_SECONDS)
        server = BoundedServer(self.config, self.ppid, self.acceptance)
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGQUIT, server.handle_exit, signal.SIGQUIT, None
        )
        try:
            await server.serve(sockets=sockets)
        finally:
            if not server.started:
                sys.exit(self.boot_error())

    def boot_error(self) -> int:
        """The exit status of a worker that could not start.

        One of the first ends the site with it. A later one, which replaces another, is
        tried again by the master: what it needs, such as the database, may come back,
        and meanwhile the other workers serve.
        """
        is_first = self.age <= self.cfg.workers
        return int(Arbiter.WORKER_BOOT_ERROR) if is_first else 1


def raise_open_files() -> None:
    """As many open files as the system lets this process have.

    Each connection is one, and the usual bound of 1,024 is there for programs that use
    select(2). What should hold is the hard limit: `ulimit -Hn`, or systemd's LimitNOFILE.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS names a hard limit that it does not grant.
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def bound_unacknowledged(listeners: Sequence[socket.socket], seconds: int) -> None:
    """Has the kernel end each connection they accept that stalls for so long.

    On Linux, where a window that the client keeps shut counts too: tcp(7).
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    for listener in listeners:
        if option is not None and listener.family != socket.AF_UNIX:
            listener.setsockopt(socket.IPPROTO_TCP, option, seconds * 1000)
