"""A client of one connection, which keeps the facts of each exchange."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Literal

from async_api.load.plan.plan import Checks, Header, Request
from async_api.load.run import OpenedConnection
from async_api.load.wire.connection import Connection
from async_api.load.wire.dialling import Dialler
from async_api.load.wire.limits import ResponseLimits
from async_api.load.wire.request import WireRequest, render
from async_api.outbound.guard import Guard
from async_api.outbound.lookups import Lookup
from async_api.outbound.private_targets import parse_private_targets
from async_api.outbound.targets import parse_target

Run = Callable[[Coroutine[Any, Any, None]], None]

LIMITS = ResponseLimits(body_bytes=1_000_000, header_bytes=8192)
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a connection says of an exchange as it ends."""

    outcome: int
    size: int
    message: str
    failed_check: int
    redirect: bool
    server_timing: str
    fresh: bool
    usable: bool
    stray: bool
    sent: int
    written: int
    first_byte: int
    ended: int


def facts_of(connection: Connection) -> Facts:
    return Facts(
        **{name: getattr(connection, name) for name in Facts.__dataclass_fields__}
    )


class Names:
    """A resolver that knows some names, and counts what it is asked."""

    def __init__(self, **addresses: list[str]) -> None:
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self._addresses = {
            name.replace("_", "."): found for name, found in addresses.items()
        }

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Lookup]:
        self.asked.append(host)
        await self.answers.wait()
        found = [
            Lookup(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self._addresses.get(host, [])
        ]
        wanted = [each for each in found if family in (0, each["family"])]
        if not wanted:
            raise OSError("unknown")
        return wanted

    async def close(self) -> None: ...


def dialler(
    names: Names | None = None,
    *,
    private: tuple[str, ...] = ("127.0.0.0/8", "::1"),
    tls: SSLContext | None = None,
    ip: Literal["either", "4", "6"] = "either",
    seconds: float = SECONDS,
    limits: ResponseLimits = LIMITS,
) -> Dialler:
    guard = Guard(
        parse_private_targets(private), names or Names(), "{subject} is not public."
    )
    return Dialler(guard, tls, limits, ip=ip, seconds=seconds)


def request(
    url: str,
    method: str = "GET",
    *,
    body: bytes = b"",
    headers: tuple[Header, ...] = (),
    checks: Checks | None = None,
    keep_alive: bool = True,
) -> WireRequest:
    return render(
        Request(
            target=parse_target(url),
            name="only",
            method=method,
            body=body,
            headers=headers,
            checks=checks or Checks(),
        ),
        0,
        keep_alive=keep_alive,
    )


class Client:
    """One connection. `next_request`, if given, is sent as an exchange ends."""

    def __init__(self) -> None:
        self.connection: Connection
        self.opened: OpenedConnection
        self.ended: list[Facts] = []
        self.closed = asyncio.Event()
        self.times_closed = 0
        self.next_request: WireRequest | None = None
        self.resent: list[bool] = []
        self._waiting: asyncio.Queue[Facts] = asyncio.Queue()

    async def exchange(self, wanted: WireRequest) -> Facts:
        assert self.connection.send(wanted)
        return await self.result()

    async def result(self) -> Facts:
        async with asyncio.timeout(SECONDS):
            return await self._waiting.get()

    async def closing(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.closed.wait()

    def on_finished(self, connection: Connection) -> None:
        facts = facts_of(connection)
        self.ended.append(facts)
        self._waiting.put_nowait(facts)
        if self.next_request is not None:
            following, self.next_request = self.next_request, None
            self.resent.append(connection.send(following))

    def on_closed(self, connection: Connection) -> None:
        self.times_closed += 1
        self.closed.set()


@asynccontextmanager
async def connected(url: str, opener: Dialler | None = None) -> AsyncIterator[Client]:
    client = Client()
    client.connection, client.opened = await (opener or dialler()).dial(
        parse_target(url), client.on_finished, client.on_closed
    )
    try:
        yield client
    finally:
        client.connection.close()
        await client.closing()
        assert client.times_closed == 1
