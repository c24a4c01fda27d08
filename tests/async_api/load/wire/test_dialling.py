"""A dial reports its phases, or why there is no connection."""

import asyncio
import resource
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from async_api.load.recording import Outcome
from async_api.load.run import OpenedConnection
from async_api.load.wire.dialling import DialFailure, Dialler
from async_api.load.wire.tls import tls_context
from async_api.outbound.guard import AddressInfo, Guard
from async_api.outbound.private_targets import parse_private_targets
from tests.async_api.load.wire.client import (
    LIMITS,
    SECONDS,
    Names,
    Run,
    connected,
    dialler,
    request,
)
from tests.support.raw_target import RawConnection, RawTarget

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def ok(connection: RawConnection) -> None:
    while connection.request() is not None:
        connection.write(OK)


async def failure_of(url: str, opener: Dialler) -> DialFailure:
    with pytest.raises(DialFailure) as caught:
        async with connected(url, opener):
            pass
    return caught.value


async def opened_by(url: str, opener: Dialler) -> OpenedConnection:
    async with connected(url, opener) as client:
        assert (await client.exchange(request(url))).outcome == 200
        return client.opened


def test_an_address_needs_no_lookup_and_no_tls(run: Run) -> None:
    with RawTarget(ok) as target:

        async def main() -> None:
            opened = await opened_by(target.url, dialler())

            assert (opened.address, opened.port) == ("127.0.0.1", target.port)
            assert opened.tcp > 0
            assert (opened.lookup, opened.tls, opened.tls_version) == (0, 0, "")

        run(main())


def test_a_shared_lookup_is_shown_once(run: Run) -> None:
    with RawTarget(ok) as target:

        async def main() -> None:
            names = Names(target_example=["127.0.0.1"])
            names.answers.clear()
            opener = dialler(names)
            url = f"http://target.example:{target.port}/"
            dials = [asyncio.create_task(opened_by(url, opener)) for _ in range(3)]
            await asyncio.sleep(0.02)
            names.answers.set()
            opened = await asyncio.gather(*dials)

            assert names.asked == ["target.example"]
            assert opened[0].lookup >= 15_000
            assert [each.lookup for each in opened[1:]] == [0, 0]

        run(main())


def test_a_target_that_the_guard_refuses_is_not_connected_to(run: Run) -> None:
    with RawTarget(ok) as target:

        async def main() -> None:
            opener = dialler(Names(target_example=["127.0.0.1"]), private=())
            for host in ("127.0.0.1", "target.example"):
                failure = await failure_of(f"http://{host}:{target.port}/", opener)

                assert failure.outcome is Outcome.REFUSED
                assert failure.message == "This address is not public."

        run(main())
    assert target.connections == 0


def test_an_unknown_name_is_a_failure_of_the_lookup(run: Run) -> None:
    async def main() -> None:
        failure = await failure_of("http://unknown.example/", dialler())

        assert failure.outcome is Outcome.DNS
        assert failure.message == "The name unknown.example could not be looked up."

    run(main())


def test_a_port_that_nothing_listens_on_is_a_failure_to_connect(
    run: Run, unused_port: Callable[[], int]
) -> None:
    port = unused_port()

    async def main() -> None:
        failure = await failure_of(f"http://127.0.0.1:{port}/", dialler())

        assert failure.outcome is Outcome.CONNECT
        assert (
            failure.message
            == f"No connection to 127.0.0.1 port {port}: connection refused."
        )
        assert failure.exhausted == ""

    run(main())


def test_the_next_address_is_tried_where_one_refuses(run: Run) -> None:
    with RawTarget(ok) as target:

        async def main() -> None:
            opener = dialler(Names(target_example=["127.0.0.2", "::1", "127.0.0.1"]))
            url = f"http://target.example:{target.port}/"

            assert (await opened_by(url, opener)).address == "127.0.0.1"

        run(main())


@pytest.mark.parametrize(("ip", "address"), [("4", "127.0.0.1"), ("6", "::1")])
def test_only_the_wanted_version_of_ip_is_dialled(
    run: Run, ip: str, address: str
) -> None:
    with RawTarget(ok) as target, ExitStack() as stack:
        if ip == "6":
            stack.enter_context(
                socket.create_server(("::1", target.port), family=socket.AF_INET6)
            )

        async def main() -> None:
            opener = dialler(
                Names(target_example=["::1", "127.0.0.1"]), ip="6" if ip == "6" else "4"
            )
            url = f"http://target.example:{target.port}/"
            async with connected(url, opener) as client:
                assert client.opened.address == address

        run(main())


def test_an_address_of_the_other_version_is_a_failure_to_connect(run: Run) -> None:
    async def main() -> None:
        failure = await failure_of("http://127.0.0.1/", dialler(ip="6"))

        assert failure.outcome is Outcome.CONNECT
        assert "127.0.0.1 is an IPv4 address" in failure.message

    run(main())


# Time


def test_a_lookup_that_takes_too_long_is_a_timeout(run: Run) -> None:
    async def main() -> None:
        names = Names(target_example=["127.0.0.1"])
        names.answers.clear()
        opener = dialler(names, seconds=0.05)
        failure = await failure_of("http://target.example/", opener)
        names.answers.set()

        assert failure.outcome is Outcome.TIMEOUT
        assert failure.message == (
            "No connection to target.example within 0.05 s; looking its name up took "
            "too long."
        )

    run(main())


@contextmanager
def silent(address: str, port: int) -> Iterator[None]:
    """A listener that does not respond, since its queue of connections is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, listener.getsockname()[1]))
        yield


def test_a_silent_address_takes_its_share_of_the_time_and_then_comes_last(
    run: Run,
) -> None:
    with RawTarget(ok) as target, silent("127.0.0.2", target.port):

        async def main() -> None:
            opener = dialler(
                Names(target_example=["127.0.0.2", "127.0.0.1"]), seconds=3
            )
            url = f"http://target.example:{target.port}/"
            first = await opened_by(url, opener)
            second = await opened_by(url, opener)

            assert first.address == second.address == "127.0.0.1"
            assert first.tcp >= 1_400_000
            assert second.tcp < 1_400_000

        run(main())


def test_an_address_that_does_not_respond_is_a_timeout(
    run: Run, unused_port: Callable[[], int]
) -> None:
    port = unused_port()
    with silent("127.0.0.2", port):

        async def main() -> None:
            opener = dialler(seconds=0.2)
            failure = await failure_of(f"http://127.0.0.2:{port}/", opener)

            assert failure.outcome is Outcome.TIMEOUT
            assert "within 0.2 s; connecting took too long" in failure.message

        run(main())


# TLS


def test_tls_is_timed_and_described(
    run: Run, self_signed: ssl.SSLContext, tmp_path: Path
) -> None:
    path = tmp_path / "certificate.pem"
    line = subprocess.run(
        f"openssl x509 -in {path} -noout -enddate".split(),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    expires = ssl.cert_time_to_seconds(line.strip().removeprefix("notAfter="))
    with RawTarget(ok, self_signed) as target:

        async def main() -> None:
            names = Names(localhost=["127.0.0.1"])
            for context in (
                tls_context(insecure=False, ca_file=str(path)),
                tls_context(insecure=True, ca_file=""),
            ):
                opener = dialler(names, tls=context)
                opened = await opened_by(f"https://localhost:{target.port}/", opener)

                assert opened.tcp > 0
                assert opened.tls > 0
                assert opened.tls_version == "TLSv1.3"
                assert opened.cipher.startswith("TLS_")
                assert opened.certificate_expires == expires

        run(main())


def test_a_certificate_that_is_not_trusted_is_a_failure_of_tls(
    run: Run, self_signed: ssl.SSLContext, tmp_path: Path
) -> None:
    with RawTarget(ok, self_signed) as target:

        async def main() -> None:
            names = Names(localhost=["127.0.0.1"], other_example=["127.0.0.1"])
            for host, ca_file, said in (
                ("localhost", "", "self-signed certificate"),
                ("other.example", str(tmp_path / "certificate.pem"), "mismatch"),
            ):
                context = tls_context(insecure=False, ca_file=ca_file)
                opener = dialler(names, tls=context)
                failure = await failure_of(f"https://{host}:{target.port}/", opener)

                assert failure.outcome is Outcome.TLS
                assert f"The certificate of {host} cannot be trusted" in failure.message
                assert said in failure.message

        run(main())
    assert target.log == []


def plain(connection: RawConnection) -> None:
    connection.socket.recv(1000)
    connection.write(b"HTTP/1.1 400 This is HTTP\r\n\r\n")


def hanging_up(connection: RawConnection) -> None:
    connection.socket.recv(1000)


def resetting(connection: RawConnection) -> None:
    connection.socket.recv(1000)
    connection.reset()


@pytest.mark.parametrize("script", [plain, hanging_up, resetting])
def test_a_target_without_tls_is_a_failure_of_tls(
    run: Run, script: Callable[[RawConnection], None]
) -> None:
    with RawTarget(script) as target:

        async def main() -> None:
            opener = dialler(tls=tls_context(insecure=True, ca_file=""))
            failure = await failure_of(f"https://127.0.0.1:{target.port}/", opener)

            assert failure.outcome is Outcome.TLS
            assert "use https on this port?" in failure.message

        run(main())


def test_a_handshake_that_takes_too_long_is_a_timeout(run: Run) -> None:
    def script(connection: RawConnection) -> None:
        connection.server.stopping.wait(SECONDS)

    with RawTarget(script) as target:

        async def main() -> None:
            opener = dialler(tls=tls_context(insecure=True, ca_file=""), seconds=0.2)
            failure = await failure_of(f"https://127.0.0.1:{target.port}/", opener)

            assert failure.outcome is Outcome.TIMEOUT
            assert "the TLS handshake took too long" in failure.message

        run(main())


# What this machine runs out of


def test_a_lack_of_file_descriptors_is_recognised(run: Run) -> None:
    with RawTarget(ok) as target:

        async def main() -> None:
            opener = dialler()
            await opened_by(target.url, opener)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
            try:
                failure = await failure_of(target.url, opener)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

            assert failure.outcome is Outcome.CONNECT
            assert failure.exhausted == "file descriptors"

        run(main())


class OnePort(Guard):
    """Connects from one port of this machine."""

    port = 0

    def socket_factory(self, info: AddressInfo) -> socket.socket:
        opened = super().socket_factory(info)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(("127.0.0.1", self.port))
        self.port = opened.getsockname()[1]
        return opened


def test_a_lack_of_ports_is_recognised(run: Run) -> None:
    guard = OnePort(parse_private_targets(["127.0.0.1"]), Names(), "{subject}")
    opener = Dialler(guard, None, LIMITS, ip="either", seconds=SECONDS)
    with RawTarget(ok) as target:

        async def main() -> None:
            async with connected(target.url, opener):
                failure = await failure_of(target.url, opener)

                assert failure.outcome is Outcome.CONNECT
                assert failure.exhausted == "ports"

        run(main())
