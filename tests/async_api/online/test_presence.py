"""Workers that share a database agree on who is online, and go on without it."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest
from django.test import AsyncRequestFactory
from psycopg_pool import AsyncConnectionPool
from pytest_django import Settings

from async_api.online import lease_table
from async_api.online.broadcast import Socket
from async_api.online.leases import Times
from async_api.online.presence import TOPIC, Presence, presence, total, total_or_none
from async_api.online.processes import Process, started, this_process
from async_views.runtime.asgi.types import Message
from async_views.runtime.postgres import database
from async_views.runtime.postgres.bus import Bus, bus
from async_views.runtime.postgres.database import Connection
from tests.support.guest import Guest

pytestmark = pytest.mark.usefixtures("connection")


@pytest.fixture
def only_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long timers, so that workers learn of changes only by the bus."""
    times = Times(heartbeat=600, lease=1800)
    monkeypatch.setattr("async_api.online.presence.TIMES", times)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    times = Times(heartbeat=0.2, lease=0.6)
    monkeypatch.setattr("async_api.online.presence.TIMES", times)


@asynccontextmanager
async def worker(
    own_bus: Bus | None = None, parameters: Mapping[str, str] | None = None
) -> AsyncIterator[Presence]:
    """A worker with its own pool, optionally with other parameters, and a bus."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            AsyncConnectionPool(
                kwargs=database.parameters() | dict(parameters or {}),
                min_size=1,
                check=AsyncConnectionPool.check_connection,
                reconnect_timeout=0.5,
                open=False,
            )
        )
        if own_bus is None:
            own_bus = await stack.enter_async_context(bus())
        yield await stack.enter_async_context(presence(pool, own_bus))


class Client:
    """A socket that records every number it receives."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.socket = Socket(self.take, 3600, lambda: None)

    async def take(self, message: Message) -> None:
        self.heard.append(message["text"])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("only_hints")
async def test_all_workers_count_and_show_the_sockets_of_each() -> None:
    one_client, other_client = Client(), Client()
    async with worker() as one, worker() as other:
        with one.joined(one_client.socket):
            assert one.total == 1
            await until(lambda: other.total == 1)
            with other.joined(other_client.socket):
                assert other.total == 2
                await until(lambda: one_client.heard[-1] == "2")
            await until(lambda: one_client.heard[-1] == "1")
        await until(lambda: other.total == 0)

    assert one_client.heard == ["1", "2", "1"]
    assert other_client.heard == ["2"]


@pytest.mark.usefixtures("only_hints")
async def test_a_worker_that_starts_knows_the_number_at_once() -> None:
    async with worker() as one:
        with one.joined(Client().socket):
            async with worker() as before:
                await until(lambda: before.total == 1)

            async with worker() as other:
                assert other.total == 1


@pytest.mark.usefixtures("only_hints")
async def test_a_worker_that_stops_removes_its_lease_and_announces_it(
    connection: Connection,
) -> None:
    async with worker() as one:
        async with worker() as other:
            with other.joined(Client().socket):
                await until(lambda: one.total == 1)
                # Sockets that are still open when the worker stops.
                other.count.own += 5
                other.wake.set()
                await until(lambda: one.total == 6)

        await until(lambda: one.total == 0)

    assert await lease_table.read(connection) == []
    assert "Presence" not in repr(asyncio.all_tasks())


@pytest.mark.usefixtures("quick")
async def test_without_the_bus_workers_agree_at_their_heartbeats() -> None:
    silent = Bus(3600)
    async with worker(silent) as one, worker(silent) as other:
        with one.joined(Client().socket):
            await until(lambda: other.total == 1)
        await until(lambda: other.total == 0)


@pytest.mark.usefixtures("only_hints")
async def test_the_lease_of_a_killed_process_on_this_machine_is_removed(
    connection: Connection,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as child:
        process = Process(this_process().machine, child.pid, started(child.pid) or 0)
        await lease_table.write(connection, uuid.uuid4(), process, 5, 3600)
        async with worker() as one:
            assert one.total == 5

            child.kill()
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

            await until(lambda: one.total == 0)
            await until(lambda: not one.count.dead)
            assert len(await lease_table.read(connection)) == 1


@pytest.mark.usefixtures("quick")
async def test_a_worker_on_another_machine_counts_until_its_lease_expires(
    connection: Connection,
) -> None:
    elsewhere = Process("another machine", os.getpid(), 1)
    await lease_table.write(connection, uuid.uuid4(), elsewhere, 5, 1.5)
    client = Client()
    async with worker() as one:
        with one.joined(client.socket):
            assert one.total == 6

            await until(lambda: one.total == 1)
            await until(lambda: client.heard == ["6", "1"])


@pytest.mark.usefixtures("only_hints")
async def test_a_table_that_was_emptied_is_filled_again(connection: Connection) -> None:
    async with worker() as one, worker() as other:
        with one.joined(Client().socket):
            await until(lambda: other.total == 1)
            await connection.execute("TRUNCATE online_lease")

            # Every bus gives a hint after a reconnect.
            await one.bus.publish(TOPIC)

            async with asyncio.timeout(10):
                while len(await lease_table.read(connection)) < 2:
                    await asyncio.sleep(0.01)
            await until(lambda: one.total == other.total == 1)
            assert await lease_table.total(connection) == 1


@pytest.fixture
async def guest(connection: Connection) -> AsyncIterator[Guest]:
    guest = Guest(connection)
    await guest.execute("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}")
    yield guest
    await guest.execute("DROP ROLE {}")


@pytest.mark.usefixtures("quick")
async def test_without_its_database_a_worker_keeps_counting_and_logs_it_once(
    guest: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    def log_lines() -> list[str]:
        return [r.message for r in caplog.records if r.name.endswith(".presence")]

    client = Client()
    async with worker(parameters=guest.parameters) as one, worker() as other:
        with other.joined(Client().socket), one.joined(client.socket):
            await until(lambda: one.total == other.total == 2)
            await guest.throw_out()
            await until(lambda: one.count.is_cut_off and other.total == 1)

            with one.joined(Client().socket):
                await until(lambda: client.heard[-1] == "3")
                # The database fails several times, and this is logged once.
                before = one.count.queried_at
                await until(lambda: one.count.queried_at > before + 1)
                assert len(log_lines()) == 1
                assert log_lines()[0].startswith(
                    "The numbers of other workers are the last known ones, because the "
                    "database is unavailable: "
                )

                await guest.let_in()
                await until(lambda: one.total == other.total == 3)
    assert log_lines()[1:] == ["The numbers of other workers are current again."]


@pytest.mark.usefixtures("quick")
async def test_a_database_that_does_not_respond_is_unavailable_too(
    connection: Connection, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATABASE_SECONDS = 0.2

    async with worker() as one:
        async with connection.transaction():
            await connection.execute("LOCK TABLE online_lease")
            await until(lambda: one.count.is_cut_off)

            with one.joined(Client().socket):
                assert one.total == 1

        await until(lambda: not one.count.is_cut_off)
    assert "TimeoutError" in caplog.text


async def test_a_worker_may_start_before_its_table_exists(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await connection.execute("ALTER TABLE online_lease RENAME TO elsewhere")
    try:
        async with worker() as one:
            with one.joined(Client().socket):
                assert one.total == 1
    finally:
        await connection.execute("ALTER TABLE elsewhere RENAME TO online_lease")

    assert "UndefinedTable" in caplog.text


async def test_a_request_gets_its_worker_s_number_or_the_sum_of_the_leases(
    connection: Connection,
) -> None:
    await lease_table.write(connection, uuid.uuid4(), this_process(), 5, 3600)
    request = AsyncRequestFactory().get("/")
    assert await total(request) == 5

    async with worker() as one:
        with one.joined(Client().socket):
            request.scope = {**request.scope, "state": {"online": one}}
            assert await total(request) == 6


async def test_a_page_does_not_wait_for_a_number_it_can_omit(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = AsyncRequestFactory().get("/")
    await lease_table.write(connection, uuid.uuid4(), this_process(), 5, 3600)
    assert await total_or_none(request, 5) == 5

    async with connection.transaction():
        await connection.execute("LOCK TABLE online_lease")
        assert await total_or_none(request, 0.1) is None

    nowhere = database.parameters() | {"host": "127.0.0.1", "port": 1}
    monkeypatch.setattr(database, "parameters", lambda: nowhere)
    assert await total_or_none(request, 5) is None
    with pytest.raises(psycopg.OperationalError):
        await total(request)
