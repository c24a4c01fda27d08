"""A target delays its handshake, its first byte and the rest of its body."""

import os
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.servers.announced import announced
from benchmarks.servers.delayed import HEAD, REST, Delays, make_certificate, serve


def test_each_part_is_delayed(tmp_path: Path) -> None:
    delays = Delays(handshake=0.1, first_byte=0.2, body=0.3)
    certificate, key = make_certificate(tmp_path, "slow.test")
    context = ssl.create_default_context(cafile=str(certificate))
    core = min(os.sched_getaffinity(0))
    with announced(serve, delays, certificate, key, core) as target:
        address = urlsplit(target.url)
        with socket.create_connection((address.hostname, address.port)) as opened:
            times = [time.perf_counter()]
            with context.wrap_socket(opened, server_hostname="slow.test") as client:
                times.append(time.perf_counter())
                client.sendall(b"GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n")
                assert client.recv(1_000) == HEAD
                times.append(time.perf_counter())
                assert client.recv(1_000) == REST
                times.append(time.perf_counter())

    handshake, first_byte, body = (
        after - before for before, after in zip(times, times[1:], strict=False)
    )
    assert handshake > 0.09
    assert first_byte > 0.19
    # Its beginning may have arrived late.
    assert first_byte + body > 0.49
