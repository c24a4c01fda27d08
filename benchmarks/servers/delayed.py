"""A target over TLS that waits before its handshake, its first byte and its last."""

import os
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"
REST = b"half"
END_OF_REQUEST = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds."""

    handshake: float
    first_byte: float
    body: float


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate of a host, and its key, in a folder."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    names = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *files, "-days", "1", *names],
        check=True,
        capture_output=True,
    )
    return certificate, key


def serve(
    announce: Connection, delays: Delays, certificate: Path, key: Path, core: int
) -> None:
    """Serves each connection in a thread, until it is killed."""
    os.sched_setaffinity(0, {core})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        announce.send(listener.getsockname()[1])
        while True:
            accepted, _ = listener.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=serve_one, args=(accepted, context, delays), daemon=True
            ).start()


def serve_one(accepted: socket.socket, context: ssl.SSLContext, delays: Delays) -> None:
    time.sleep(delays.handshake)
    try:
        with context.wrap_socket(accepted, server_side=True) as opened:
            while read_request(opened):
                time.sleep(delays.first_byte)
                opened.sendall(HEAD)
                time.sleep(delays.body)
                opened.sendall(REST)
    except OSError:
        pass  # the client has gone


def read_request(opened: ssl.SSLSocket) -> bool:
    """Whether a request came, one without a body, before the end of the connection."""
    received = b""
    while END_OF_REQUEST not in received:
        if not (block := opened.recv(65536)):
            return False
        received += block
    return True
