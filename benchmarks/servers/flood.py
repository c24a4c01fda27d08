"""A target that floods its clients: `python -m benchmarks.servers.flood KIND`.

It prints its port and runs until it is killed.
"""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

from benchmarks.servers.server import CHECKOUT

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# What is sent first, and what is then repeated without end.
FLOODS = {
    "interim": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "line-ends": (b"", b"\r\n"),
    "fields": (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
    "one-field": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "chunks": (CHUNKED, b"1\r\na\r\n"),
    "extensions": (CHUNKED, b"1;a=bcd\r\na\r\n"),
    "trailers": (CHUNKED + b"0\r\n", b"X: a\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
    "answers": (b"", OK),
}


@contextlib.contextmanager
def flooding(kind: str) -> Iterator[str]:
    """The URL of a target that floods in this way until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.servers.flood", kind],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


def serve(accepted: socket.socket, begin: bytes, block: bytes) -> None:
    with accepted, contextlib.suppress(OSError):
        accepted.recv(65536)
        accepted.sendall(begin)
        while True:
            accepted.sendall(block)


def main(kind: str) -> None:
    begin, again = FLOODS[kind]
    block = again * (64 * 1024 // len(again))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            accepted, _ = listener.accept()
            threading.Thread(
                target=serve, args=(accepted, begin, block), daemon=True
            ).start()


if __name__ == "__main__":
    main(sys.argv[1])
