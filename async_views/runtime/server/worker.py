"""The gunicorn worker that runs uvicorn, with a bound on every way of stopping.

gunicorn.conf.py derives its worker from `BoundedWorker` and sets the limits.
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

# A client that acknowledges nothing for this long, or has no room for more, is disconnected:
# the last limit, below all others.
UNACKNOWLEDGED_SECONDS = 30

# gunicorn calls these a quick shutdown: Ctrl-C, and `kill -QUIT`.
QUICK = (signal.SIGINT, signal.SIGQUIT)


class BoundedServer(Server):
    """A uvicorn server that stops quickly on a quick shutdown.

    uvicorn takes as long for Ctrl-C as for SIGTERM, ignores SIGQUIT, and ends by
    cancelling what still runs. Here applications get a disconnect before that.
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
        # A worker whose master was killed would keep the port unnoticed.
        return await super().on_tick(counter) or os.getppid() != self.master

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig in QUICK:
            self.config.timeout_graceful_shutdown = self.quick_seconds
        if sig == signal.SIGQUIT:
            # uvicorn raises the signals it handles again once it is done, but not this one.
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        seconds = self.config.timeout_graceful_shutdown or self.quick_seconds
        loop = asyncio.get_running_loop()
        cutting_off = loop.call_later(seconds, self.cut_off)
        # Connections accepted at the last moment do not have a protocol yet.
        telling = loop.call_later(0.1, self.tell_to_leave)
        # One more second lets the applications end in order.
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
        # What is loaded by now stays loaded. The collector would traverse it again and
        # again while requests wait: 40 ms each time, with Django and the admin.
        gc.collect()
        gc.freeze()
        # Requests leave no cycles behind: most young objects are still in use.
        gc.set_threshold(20_000)
        raise_open_files()

    async def _serve(self) -> None:
        # As in UvicornWorker, with another server class and SIGQUIT handler.
        self.config.app = self.wsgi
        # Not gunicorn's wrappers around them: uvloop would close the sockets twice.
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

        If one of the first workers cannot start, the site stops. A later worker, which
        replaces another, is started again by the master: what it needs, such as the
        database, may come back, and meanwhile the other workers serve.
        """
        is_first = self.age <= self.cfg.workers
        return int(Arbiter.WORKER_BOOT_ERROR) if is_first else 1


def raise_open_files() -> None:
    """Raises the limit on open files to the hard limit.

    Each connection is an open file, and the usual soft limit of 1,024 is for programs
    that use select(2). Set the hard limit with `ulimit -Hn` or systemd's LimitNOFILE.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS reports a hard limit that it does not allow.
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def bound_unacknowledged(listeners: Sequence[socket.socket], seconds: int) -> None:
    """Makes the kernel end accepted connections that stall for `seconds`.

    Linux only, where a receive window that stays closed counts too: tcp(7).
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    for listener in listeners:
        if option is not None and listener.family != socket.AF_UNIX:
            listener.setsockopt(socket.IPPROTO_TCP, option, seconds * 1000)
