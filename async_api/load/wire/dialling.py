"""Opens connections: name lookup, TCP and TLS, each within the guard and timed."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from time import perf_counter_ns
from typing import Any, Literal

from async_api.load.recording import Outcome
from async_api.load.run import OpenedConnection
from async_api.load.wire.connection import Connection
from async_api.load.wire.limits import ResponseLimits
from async_api.load.wire.tls import certificate_expiry
from async_api.outbound.failures import certificate_reason, reason
from async_api.outbound.guard import AddressInfo, Guard, TargetRefused
from async_api.outbound.targets import DEFAULT_PORTS, Target

_FAMILIES = {
    "either": socket.AF_UNSPEC,
    "4": socket.AF_INET,
    "6": socket.AF_INET6,
}


class DialFailure(Exception):
    """No connection was opened; the text is a sentence.

    ``exhausted`` is the resource of this machine that ran out, "file descriptors" or
    "ports", or empty.
    """

    def __init__(self, outcome: Outcome, message: str, exhausted: str = "") -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message
        self.exhausted = exhausted


class Dialler:
    """Opens the connections of one run, which share their lookups.

    ``seconds`` limits one dial, from the lookup to the end of the TLS handshake.
    """

    def __init__(
        self,
        guard: Guard,
        tls: ssl.SSLContext | None,
        limits: ResponseLimits,
        *,
        ip: Literal["either", "4", "6"],
        seconds: float,
    ) -> None:
        self._guard = guard
        self._tls = tls
        self._limits = limits
        self._family = _FAMILIES[ip]
        self._seconds = seconds
        self._looked_up: set[str] = set()
        # Addresses of targets: those that did not respond in time, and those that did.
        self._silent: set[str] = set()
        self._reached: set[str] = set()

    async def dial(
        self,
        target: Target,
        finished: Callable[[Connection], None],
        closed: Callable[[Connection], None],
    ) -> tuple[Connection, OpenedConnection]:
        """Open a connection; raises DialFailure.

        `opened` is in microseconds of ``time.perf_counter_ns()``: the caller subtracts
        the beginning of its run.
        """
        phase = "looking its name up"
        port = target.port or DEFAULT_PORTS[target.scheme]
        began = perf_counter_ns()
        try:
            async with asyncio.timeout(self._seconds) as limit:
                infos, shared = await self._look_up(target.host, port)
                looked_up = perf_counter_ns()
                phase = "connecting"
                deadline = limit.when()
                assert deadline is not None
                opened, address = await self._connect(target, infos, deadline)
                connected = perf_counter_ns()
                phase = "the TLS handshake"
                try:
                    connection, secured = await self._start(
                        target, opened, finished, closed
                    )
                except BaseException:
                    opened.close()
                    raise
                ready = perf_counter_ns() if secured else connected
        except TimeoutError:
            raise DialFailure(
                Outcome.TIMEOUT,
                f"No connection to {target.host} within {self._seconds:g} s; {phase} "
                "took too long.",
            ) from None
        return connection, OpenedConnection(
            opened=ready // 1000,
            address=address,
            port=port,
            lookup=0 if shared else (looked_up - began) // 1000,
            tcp=(connected - looked_up) // 1000,
            tls=(ready - connected) // 1000,
            **_described(secured),
        )

    async def _look_up(self, host: str, port: int) -> tuple[list[AddressInfo], bool]:
        """The addresses to try, and whether another dial had the name looked up."""
        try:
            literal = ip_address(host)
        except ValueError:
            literal = None
        if literal is not None:
            family = socket.AF_INET6 if literal.version == 6 else socket.AF_INET
            if self._family not in (socket.AF_UNSPEC, family):
                raise DialFailure(
                    Outcome.CONNECT,
                    f"{host} is an IPv{literal.version} address, and the plan asks for "
                    "the other version.",
                )
            return [_info(family, host, port)], True
        shared = host in self._looked_up
        self._looked_up.add(host)
        try:
            found = await self._guard.resolver.resolve(host, port, self._family)
        except OSError:
            found = []
        if not found:
            raise DialFailure(Outcome.DNS, f"The name {host} could not be looked up.")
        infos = [_info(each["family"], each["host"], port) for each in found]
        infos.sort(key=lambda info: info[4][0] in self._silent)
        return infos, shared

    async def _connect(
        self, target: Target, infos: list[AddressInfo], deadline: float
    ) -> tuple[socket.socket, str]:
        """Tries one address after another, each with its share of the time that is left."""
        loop = asyncio.get_running_loop()
        failure: DialFailure | None = None
        for tried, info in enumerate(infos):
            share = (deadline - loop.time()) / (len(infos) - tried)
            address = str(info[4][0])
            try:
                async with asyncio.timeout(share):
                    opened = await self._connect_to(info)
            except TargetRefused as error:
                failure = failure or DialFailure(Outcome.REFUSED, str(error))
            except TimeoutError:
                self._silent.add(address)
                if tried == len(infos) - 1:
                    raise
            except OSError as error:
                failure = DialFailure(
                    Outcome.CONNECT,
                    f"No connection to {target.host} port {info[4][1]}: {reason(error)}.",
                    self._exhausted(error, address),
                )
            else:
                self._reached.add(address)
                return opened, address
        assert failure is not None
        raise failure

    def _exhausted(self, error: OSError, address: str) -> str:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return "file descriptors"
        # Also the error of a machine without an address of the target's family.
        if error.errno == errno.EADDRNOTAVAIL and address in self._reached:
            return "ports"
        return ""

    async def _connect_to(self, info: AddressInfo) -> socket.socket:
        opened = self._guard.socket_factory(info)
        try:
            await asyncio.get_running_loop().sock_connect(opened, info[4])
        except BaseException:
            opened.close()
            raise
        return opened

    async def _start(
        self,
        target: Target,
        opened: socket.socket,
        finished: Callable[[Connection], None],
        closed: Callable[[Connection], None],
    ) -> tuple[Connection, ssl.SSLObject | None]:
        secure = target.scheme == "https"
        try:
            transport, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(finished, closed, self._limits),
                sock=opened,
                ssl=self._tls if secure else None,
                server_hostname=target.host.removesuffix(".") if secure else None,
            )
        except ssl.SSLCertVerificationError as error:
            raise DialFailure(
                Outcome.TLS,
                f"The certificate of {target.host} cannot be trusted: "
                f"{certificate_reason(error)}.",
            ) from None
        except ssl.SSLError:
            raise DialFailure(
                Outcome.TLS,
                "The TLS handshake failed. Does the target use https on this port?",
            ) from None
        except TimeoutError:
            raise
        except OSError:
            raise DialFailure(
                Outcome.TLS,
                f"{target.host} ended the connection during the TLS handshake. Does it "
                "use https on this port?",
            ) from None
        return connection, transport.get_extra_info("ssl_object")


def _info(family: int, host: str, port: int) -> AddressInfo:
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port)


def _described(secured: ssl.SSLObject | None) -> dict[str, Any]:
    """TLS's members of an OpenedConnection."""
    if secured is None:
        return {}
    cipher = secured.cipher()
    certificate = secured.getpeercert(binary_form=True)
    return {
        "tls_version": secured.version() or "",
        "cipher": cipher[0] if cipher else "",
        "certificate_expires": certificate_expiry(certificate) if certificate else None,
    }
