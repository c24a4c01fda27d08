"""Clients open sockets only to allowed addresses."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import settings

from async_api.outbound.guard import Guard, TargetRefused
from async_api.outbound.lookups import Resolver
from async_api.outbound.private_targets import PrivateTargets, parse_private_targets
from async_api.outbound.targets import parse_target

unhurried = settings(deadline=None)  # a busy machine must not fail the test

NOTHING_PRIVATE = PrivateTargets()


def guarded(private: PrivateTargets, resolver: Resolver) -> Guard:
    return Guard(private, resolver, "{subject} is not listed in SOME_SETTING.")


@dataclass
class Listener:
    """A web server on loopback, which counts its connections."""

    port: int
    accepted: int = 0


def listening(
    host: str = "127.0.0.1", location: str | None = None
) -> AbstractAsyncContextManager[Listener]:
    """Respond with 200, or with a redirect to ``location``."""
    status = f"302 Found\r\nLocation: {location}" if location else "200 OK"
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    @asynccontextmanager
    async def serve() -> AsyncIterator[Listener]:
        async def converse(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            listener.accepted += 1
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer.encode())
            writer.close()
            await writer.wait_closed()

        try:
            server = await asyncio.start_server(converse, host, 0)
        except OSError:
            pytest.skip(f"this system does not listen on {host}")
        listener = Listener(server.sockets[0].getsockname()[1])
        async with server:
            yield listener

    return serve()


class Names(AbstractResolver):
    """A resolver whose names change their addresses from one lookup to the next."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {
            name.replace("_", "."): list(each) for name, each in answers.items()
        }
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        await self.may_answer.wait()
        if not self.answers.get(host):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=0, flags=0
            )
            for address in self.answers[host].pop(0)
        ]

    async def close(self) -> None:
        """Does nothing: the resolver holds no resources."""


async def fetch(
    guard: Guard, url: str, resolver: AbstractResolver | None = None
) -> int:
    """The status of one request by a session that dials through the guard."""
    connector = aiohttp.TCPConnector(
        resolver=resolver or cast(AbstractResolver, guard.resolver),
        socket_factory=guard.socket_factory,
        use_dns_cache=False,
    )
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(url) as response:
            return response.status


async def refusal(guard: Guard, url: str) -> TargetRefused:
    """The message with which the guard refused one request."""
    with pytest.raises(aiohttp.ClientConnectorError) as raised:
        await fetch(guard, url)
    assert isinstance(raised.value.os_error, TargetRefused)
    return raised.value.os_error


def only(*items: str) -> PrivateTargets:
    return parse_private_targets(items)


async def test_a_private_literal_gets_no_socket() -> None:
    async with listening() as server:
        for host in ("127.0.0.1", "[::ffff:127.0.0.1]"):
            guard = guarded(NOTHING_PRIVATE, Names())

            await refusal(guard, f"http://{host}:{server.port}/")
            with pytest.raises(TargetRefused):
                await guard.admit(parse_target(f"http://{host}:{server.port}/"))

    assert server.accepted == 0


async def test_a_name_with_a_private_address_gets_no_socket() -> None:
    names = Names(inside_example=[["127.0.0.1", "10.0.0.1"]])
    guard = guarded(NOTHING_PRIVATE, names)

    async with listening() as server:
        url = f"http://inside.example:{server.port}/"
        await refusal(guard, url)
        with pytest.raises(TargetRefused):
            await guard.admit(parse_target(url))

    assert server.accepted == 0


async def test_a_name_that_rebinds_to_a_private_address_keeps_its_first() -> None:
    names = Names(moving_example=[["127.0.0.2"], ["127.0.0.1"]])
    guard = guarded(only("127.0.0.2"), names)

    async with listening("127.0.0.2") as first:
        url = f"http://moving.example:{first.port}/"
        await guard.admit(parse_target(url))
        statuses = [await fetch(guard, url), await fetch(guard, url)]

    assert statuses == [200, 200]
    assert names.asked == ["moving.example"]


async def test_a_rebinding_name_gets_no_socket_even_without_our_resolver() -> None:
    names = Names(moving_example=[["127.0.0.2"], ["127.0.0.1"]])
    guard = guarded(only("127.0.0.2"), Names())

    async with listening("127.0.0.2") as first, listening() as second:
        await fetch(guard, f"http://moving.example:{first.port}/", names)
        with pytest.raises(aiohttp.ClientConnectorError):
            await fetch(guard, f"http://moving.example:{second.port}/", names)

    assert (first.accepted, second.accepted) == (1, 0)


@pytest.mark.parametrize(("allowed", "arrived"), [("127.0.0.2", 0), ("127.0.0.0/8", 1)])
async def test_a_redirect_gets_a_socket_only_if_its_address_is_allowed(
    allowed: str, arrived: int
) -> None:
    guard = guarded(only(allowed), Names())

    async with listening() as inside:
        location = f"http://127.0.0.1:{inside.port}/"
        async with listening("127.0.0.2", location) as front:
            url = f"http://127.0.0.2:{front.port}/"
            if arrived:
                assert await fetch(guard, url) == 200
            else:
                await refusal(guard, url)

    assert (front.accepted, inside.accepted) == (1, arrived)


async def test_a_refusal_does_not_reveal_whether_something_listens() -> None:
    guard = guarded(NOTHING_PRIVATE, Names(inside_example=[["127.0.0.1"]]))
    async with listening() as server:
        port = server.port
        opened = [
            await refusal(guard, f"http://{host}:{port}/")
            for host in ("127.0.0.1", "inside.example")
        ]

    closed = [
        await refusal(guard, f"http://{host}:{port}/")
        for host in ("127.0.0.1", "inside.example")
    ]

    assert list(map(str, opened)) == list(map(str, closed))


async def test_a_refusal_says_how_to_allow_the_name_but_not_its_address() -> None:
    guard = guarded(NOTHING_PRIVATE, Names(inside_example=[["10.9.8.7"]]))

    with pytest.raises(TargetRefused) as raised:
        await guard.admit(parse_target("http://inside.example/"))

    for sentence in (
        str(raised.value),
        str(await refusal(guard, "http://inside.example/")),
    ):
        assert "SOME_SETTING" in sentence
        assert "10.9.8.7" not in sentence
    assert "inside.example" in str(raised.value)


async def test_an_allowed_name_is_probed_and_other_private_addresses_are_not() -> None:
    names = Names(intranet_example=[["127.0.0.1"]], other_example=[["127.0.0.2"]])
    guard = guarded(only("Intranet.Example"), names)

    async with listening() as server:
        url = f"http://intranet.example:{server.port}/"
        await guard.admit(parse_target(url))
        assert await fetch(guard, url) == 200
        await refusal(guard, f"http://other.example:{server.port}/")

    assert server.accepted == 1


async def test_an_allowed_name_may_have_a_final_dot() -> None:
    guard = guarded(only("intranet.example"), Names(intranet_example_=[["10.0.0.1"]]))

    await guard.admit(parse_target("http://intranet.example./"))


async def test_an_allowed_network_is_probed_in_mapped_form_too() -> None:
    guard = guarded(only("127.0.0.0/8"), Names())

    async with listening() as server:
        assert await fetch(guard, f"http://127.0.0.1:{server.port}/") == 200
        await guard.admit(parse_target("http://[::ffff:127.0.0.1]/"))


@pytest.mark.parametrize("host", ["[2002:7f00:1::]", "[64:ff9b::127.0.0.1]"])
async def test_an_allowed_network_does_not_include_6to4_and_nat64(host: str) -> None:
    guard = guarded(only("127.0.0.0/8"), Names())

    with pytest.raises(TargetRefused):
        await guard.admit(parse_target(f"http://{host}/"))


async def test_the_refused_addresses_of_a_name_are_removed() -> None:
    guard = guarded(only("127.0.0.2"), Names(both_example=[["127.0.0.1", "127.0.0.2"]]))

    found = await guard.resolver.resolve("both.example", 80)

    assert [result["host"] for result in found] == ["127.0.0.2"]


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("127.0.0.1", 80)),
        (socket.AF_INET, ("127.1", 80)),
        (socket.AF_INET, ("localhost", 80)),
        (socket.AF_INET, ("", 80)),
        (socket.AF_INET, (b"\x08\x08\x08\x08", 80)),  # ip_address reads 8.8.8.8
        (socket.AF_INET, (134744072, 80)),  # and here
        (socket.AF_INET6, ("fe80::1%lo", 80, 0, 1)),
        (socket.AF_INET6, ("2606:4700:4700::1111", 80, 0, 1)),  # a scope id
        (socket.AF_INET6, ("::1", 80, 0, 0)),
    ],
)
def test_an_address_that_is_not_known_to_be_public_gets_no_socket(
    family: socket.AddressFamily, address: tuple[object, ...]
) -> None:
    guard = guarded(NOTHING_PRIVATE, Names())

    with pytest.raises(TargetRefused):
        guard.socket_factory((family, socket.SOCK_STREAM, 6, "", address))


async def test_a_public_address_gets_a_socket_ready_for_the_event_loop() -> None:
    guard = guarded(NOTHING_PRIVATE, Names())

    opened = guard.socket_factory(
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("1.1.1.1", 80))
    )

    with opened:
        assert opened.getblocking() is False
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# Lookups of names


async def test_a_name_that_does_not_resolve_is_reported_by_its_requests() -> None:
    guard = guarded(NOTHING_PRIVATE, Names())

    await guard.admit(parse_target("http://missing.example/"))

    with pytest.raises(aiohttp.ClientConnectorDNSError):
        await fetch(guard, "http://missing.example/")


async def test_a_name_is_looked_up_once_for_all_ports_and_callers() -> None:
    names = Names(example_com=[["1.1.1.1"], ["9.9.9.9"]])
    guard = guarded(NOTHING_PRIVATE, names)

    together = await asyncio.gather(
        *(guard.resolver.resolve("example.com", port) for port in (80, 443))
    )
    later = await guard.resolver.resolve("example.com", 8080)

    assert names.asked == ["example.com"]
    assert [found[0]["port"] for found in (*together, later)] == [80, 443, 8080]
    assert {found[0]["host"] for found in (*together, later)} == {"1.1.1.1"}


async def test_a_failed_lookup_is_not_repeated() -> None:
    names = Names()
    guard = guarded(NOTHING_PRIVATE, names)

    for _ in range(3):
        with pytest.raises(socket.gaierror):
            await guard.resolver.resolve("missing.example")

    assert names.asked == ["missing.example"]


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_a_lookup_survives_the_cancellation_of_its_first_caller() -> None:
    names = Names(example_com=[["1.1.1.1"]])
    names.may_answer.clear()
    resolver = guarded(NOTHING_PRIVATE, names).resolver
    first = asyncio.create_task(resolver.resolve("example.com"))
    await until(lambda: names.asked)
    second = asyncio.create_task(resolver.resolve("example.com"))

    first.cancel()
    await asyncio.wait([first])
    names.may_answer.set()

    assert first.cancelled()
    assert (await second)[0]["host"] == "1.1.1.1"
    assert names.asked == ["example.com"]


async def test_closing_cancels_a_lookup_without_waiters() -> None:
    names = Names()
    names.may_answer.clear()
    resolver = guarded(NOTHING_PRIVATE, names).resolver
    asker = asyncio.create_task(resolver.resolve("slow.example"))
    await until(lambda: names.asked)
    asker.cancel()
    await asyncio.wait([asker])

    async with asyncio.timeout(5):
        await resolver.close()

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failed_lookup_without_waiters_is_not_logged_by_asyncio() -> None:
    reports: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: reports.append(context)
    )
    names = Names()
    names.may_answer.clear()
    guard = guarded(NOTHING_PRIVATE, names)
    asker = asyncio.create_task(guard.resolver.resolve("missing.example"))
    await until(lambda: names.asked)
    asker.cancel()
    await asyncio.wait([asker])

    names.may_answer.set()
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    del guard
    gc.collect()

    assert reports == []
