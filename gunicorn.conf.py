"""The configuration of gunicorn, from the settings in async_views/settings.py."""

import atexit
import ctypes
import errno
import ipaddress
import math
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from async_views import __version__, settings
from async_views.runtime.handler.security_headers import asgi_security_headers
from async_views.runtime.postgres import embedded
from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from async_views.runtime.server.listeners import note_listeners
from async_views.runtime.server.succession import replace_in_turn
from async_views.runtime.server.websocket_protocol import BoundedWebSocketProtocol
from async_views.runtime.server.worker import BoundedWorker


class HttpProtocol(DeadlineHttpProtocol):
    receive_timeout = settings.RECEIVE_SECONDS
    error_headers = asgi_security_headers()


class WebSocketProtocol(BoundedWebSocketProtocol):
    stall_timeout = settings.SOCKET_SECONDS
    error_headers = asgi_security_headers()


class Worker(BoundedWorker):
    CONFIG_KWARGS: dict[str, Any] = {
        "loop": "uvloop",
        "http": HttpProtocol,
        # A worker whose startup fails exits, instead of serving without a resource.
        "lifespan": "on",
        # Shorter than graceful_timeout, so that the lifespan can still shut down.
        "timeout_graceful_shutdown": settings.GRACEFUL_SECONDS,
        # async_views.runtime.asgi.access_log writes the access log, with response times.
        "access_log": False,
        # async_views.runtime.asgi.forwarded reads the headers of proxies, also under WSGI.
        "proxy_headers": False,
        "server_header": False,
        "ws": WebSocketProtocol,
        # Clients have no reason to send large messages.
        "ws_max_size": 4096,
        "ws_ping_interval": settings.SOCKET_PING_SECONDS,
        "ws_ping_timeout": settings.SOCKET_SECONDS,
        "ws_per_message_deflate": False,
    }


worker_class = Worker
wsgi_app = "async_views.asgi:application"
bind = (
    f"[{settings.HOST}]:{settings.PORT}"
    if ":" in settings.HOST
    else f"{settings.HOST}:{settings.PORT}"
)
workers = settings.WORKERS
proc_name = "async_views"

# A worker whose event loop is blocked for `timeout` seconds is replaced.
graceful_timeout = settings.GRACEFUL_SECONDS + 5
timeout = 10 + math.ceil(
    max(
        settings.GRACEFUL_SECONDS,
        # Under a synchronous worker, a single request may take this long.
        settings.PROBE_BUDGET_SECONDS,
        settings.BRIDGE_MAX_TOTAL_SECONDS,
    )
)
keepalive = 5

# Workers are replaced periodically, at different times, so that leaks stay small.
max_requests = settings.MAX_REQUESTS
max_requests_jitter = settings.MAX_REQUESTS // 10

forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True
# A heartbeat that a busy disk delays would look like a hanging worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

accesslog = "-"
# For the sync worker; the same format as in runtime/asgi/access_log.py.
access_log_format = '%(t)s %(h)s "%(r)s" %(s)s %(B)s B %(M)s ms'
# In development, on_starting and when_ready print the essential lines.
loglevel = "warning" if settings.DEBUG else "info"


def on_starting(arbiter: Any) -> None:
    """Starts the embedded database and prepares its contents, before the workers start."""
    require_free_port(arbiter.cfg)
    replace_in_turn(arbiter)
    # Until gunicorn handles signals itself, a signal must not leave the database
    # running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(128 + signal.SIGINT))
    say(f"async_views {__version__}")
    if settings.EMBEDDED_POSTGRES:
        start_embedded_postgres()
    if settings.PREPARE_ON_START:
        prepare()


def when_ready(arbiter: Any) -> None:
    for listener in arbiter.LISTENERS:
        address = listener.sock.getsockname()
        if isinstance(address, tuple):
            host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(
                address[0], address[0]
            )
            # In production, clients use a different address, through a proxy.
            what = "open" if settings.DEBUG else "listening"
            say(f"  {what:10} http://{host}:{address[1]}/   (Ctrl-C stops everything)")
            if settings.DEBUG and not ipaddress.ip_address(address[0]).is_loopback:
                say("  warning    DEBUG is on, and HOST admits the whole network")


def post_fork(arbiter: Any, worker: Any) -> None:
    note_listeners(listener.sock for listener in worker.sockets)


def post_worker_init(worker: Any) -> None:
    # Loading the site frees about 10 MB, which glibc would keep. Other C libraries do not
    # have this function.
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def require_free_port(cfg: Any) -> None:
    for address in cfg.address:
        if not isinstance(address, tuple):
            continue
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                    sys.exit(
                        f"PORT {address[1]} on {address[0]} cannot be used ({why}): "
                        "choose another, such as PORT=8001."
                    )
                sys.exit(
                    f"HOST {address[0]} cannot be used ({why}): it should be an "
                    "address of this machine, such as 127.0.0.1 or 0.0.0.0."
                )


def start_embedded_postgres() -> None:
    directory = settings.EMBEDDED_POSTGRES_DIR
    try:
        database = embedded.hold(directory)
    except embedded.EmbeddedPostgresError as error:
        sys.exit(str(error))
    say(f"  database   embedded PostgreSQL {embedded.POSTGRES_VERSION} in {directory}")
    # The on_exit hook is not used, because gunicorn skips it if the port is in use or a
    # start fails. Workers inherit this handler, but only release their inherited share.
    atexit.register(stop_embedded_postgres, database, os.getpid())


def stop_embedded_postgres(database: embedded.Hold, master: int) -> None:
    is_master = os.getpid() == master
    database.release(patience_seconds=1 if is_master else 0)
    if is_master:
        say(f"  stopped    the data is kept in {settings.EMBEDDED_POSTGRES_DIR}")


def prepare() -> None:
    # In a separate process, because this one must not load Django: forked workers should
    # not inherit its connections and threads.
    manage = Path(__file__).with_name("manage.py")
    finished = subprocess.run([sys.executable, manage, "prepare"], check=False)
    if finished.returncode < 0:
        killer = signal.Signals(-finished.returncode).name
        sys.exit(
            f"The database could not be prepared: {killer} ended manage.py prepare."
        )
    if finished.returncode:
        sys.exit("The database could not be prepared: see above.")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
