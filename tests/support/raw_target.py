"""A target that runs a test's script for each connection."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

SECONDS_TO_WAIT = 60


class RawConnection:
    """One accepted connection, from which a script reads requests and writes responses."""

    def __init__(self, server: "RawTarget", accepted: socket.socket) -> None:
        self.server = server
        self.socket = accepted
        self.unread = b""

    def request(self) -> bytes | None:
        """Reads the head of the next request and logs it; returns None at the end.

        An incomplete request is logged too.
        """
        while b"\r\n\r\n" not in self.unread:
            received = self.socket.recv(65536)
            if not received:
                if self.unread:
                    self.server.note(self.unread)
                return None
            self.unread += received
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        self.server.note(head)
        return head

    def write(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def write_last(self, *parts: bytes) -> None:
        """Writes and shuts down in one segment, so that the data arrives with the FIN."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.write(*parts)
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        # Closing with a linger time of 0 sends RST instead of FIN.
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.socket.close()


Script = Callable[[RawConnection], None]


class RawTarget:
    """Listens on a free port of 127.0.0.1 and runs `script` for each connection.

    The connection is closed when its script returns. `log` has the head of each request,
    even if it is incomplete.
    """

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.log: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._script = script
        self._tls = tls
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._acceptor = threading.Thread(target=self._accept)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def note(self, head: bytes) -> None:
        with self._lock:
            self.log.append(head)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(SECONDS_TO_WAIT)
        self._listener.close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(SECONDS_TO_WAIT)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(accepted)
            thread = threading.Thread(target=self._serve, args=(accepted,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls:
                accepted = self._tls.wrap_socket(accepted, server_side=True)
            self._script(RawConnection(self, accepted))
        with contextlib.suppress(OSError):
            accepted.close()
