"""Every worker is notified of changes, or learns that it may have missed one."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django.db
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pytest_django import Settings

from async_views.runtime.postgres import database, embedded
from async_views.runtime.postgres.bus import Bus, bus

SECONDS = 60

# The site runs on uvloop, which polls sockets at other moments than asyncio.
pytestmark = [
    pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"]),
    pytest.mark.usefixtures("django_db_setup"),
]


@pytest.fixture
def topic() -> str:
    """A topic for one test, because all tests share the database."""
    return f"topic_{uuid.uuid4().hex}"


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | int], None]:
    """Points the site to another host and port for its database."""
    place = django.db.connections.settings["default"]

    def point(host: str, port: str | int) -> None:
        monkeypatch.setitem(place, "HOST", host)
        monkeypatch.setitem(place, "PORT", port)

    return point


async def hinted(changed: asyncio.Event) -> None:
    async with asyncio.timeout(SECONDS):
        await changed.wait()
    changed.clear()


@asynccontextmanager
async def listening(to: Bus, topic: str) -> AsyncIterator[asyncio.Event]:
    """A subscription that PostgreSQL knows about, with its initial hints consumed."""
    with to.subscribe(topic) as changed:
        await hinted(changed)
        await hinted(changed)
        yield changed


async def is_silent(changed: asyncio.Event, to: Bus, topic: str) -> bool:
    """Whether no notification arrives before one that is published afterwards."""
    async with listening(to, f"{topic}_end") as end:
        await to.publish(f"{topic}_end")
        await hinted(end)
    return not changed.is_set()


@asynccontextmanager
async def connected() -> AsyncIterator[database.Connection]:
    """A connection without the proxy."""
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as own:
        yield own


async def backends(statement: str) -> list[int]:
    """The backends whose last statement this was."""
    async with connected() as own:
        answer = await own.execute(
            "SELECT pid FROM pg_stat_activity WHERE query = %s", [statement]
        )
        return [pid for [pid] in await answer.fetchall()]


async def terminate(pid: int) -> None:
    async with connected() as own:
        await own.execute("SELECT pg_terminate_backend(%s)", [pid])


def log_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages of the bus, up to the first colon."""
    return [
        record.getMessage().partition(":")[0]
        for record in caplog.records
        if record.name == "async_views.runtime.postgres.bus"
    ]


DOWN = "The bus is down, so that changes by other workers are seen later"
BACK = "The bus is up again"


@pytest.fixture
def own_directory(settings: Settings) -> Iterator[Path]:
    """Next to the site's, because another pytest may make tmp_path unreadable to PostgreSQL."""
    parent = settings.EMBEDDED_POSTGRES_DIR.parent
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=parent) as name:
        yield Path(name)


class Proxy:
    """A proxy for PostgreSQL. While blackholed, it reads everything and forwards nothing."""

    def __init__(self, **place: Any) -> None:
        self.host = place.get("host", "127.0.0.1")
        self.port = place.get("port", 5432)
        self.forwarding = asyncio.Event()
        self.forwarding.set()
        self.accepted = asyncio.Event()
        self.swallowed = asyncio.Event()
        self.serving: set[asyncio.Task[None]] = set()

    def blackhole(self) -> None:
        self.forwarding.clear()
        self.accepted.clear()

    def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.accepted.set()
        self.serving.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writers = [writer]
        try:
            await self.forwarding.wait()
            if self.host.startswith("/"):
                path = f"{self.host}/.s.PGSQL.{self.port}"
                back, forth = await asyncio.open_unix_connection(path)
            else:
                back, forth = await asyncio.open_connection(self.host, self.port)
            writers.append(forth)
            await asyncio.gather(self.pump(reader, forth), self.pump(back, writer))
        finally:
            for each in writers:
                each.close()

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.forwarding.is_set():
                    self.swallowed.set()
                    await self.forwarding.wait()
                writer.write(data)
        writer.close()


@pytest.fixture
async def proxy(move: Callable[[str, str | int], None]) -> AsyncIterator[Proxy]:
    opened = Proxy(**database.parameters())
    async with await asyncio.start_server(opened.accept, "127.0.0.1", 0) as server:
        move(*server.sockets[0].getsockname())
        yield opened
        for task in opened.serving:
            task.cancel()
        await asyncio.gather(*opened.serving, return_exceptions=True)


async def test_all_workers_are_notified_of_what_one_publishes(topic: str) -> None:
    async with bus() as one, bus() as other:
        async with listening(one, topic) as here, listening(other, topic) as there:
            published = await one.publish(topic)

            assert published
            await hinted(here)
            await hinted(there)


async def test_only_the_topic_s_subscribers_are_notified(topic: str) -> None:
    async with bus() as one, bus() as other:
        async with (
            listening(other, topic) as its,
            listening(other, f"{topic}_else") as another_s,
        ):
            await one.publish(topic)

            await hinted(its)
            assert await is_silent(another_s, other, topic)


async def test_a_subscriber_gets_a_hint_at_once_and_again_after_listen(
    topic: str,
) -> None:
    async with bus() as opened:
        with opened.subscribe(topic) as changed:
            at_once = changed.is_set()
            changed.clear()

            await hinted(changed)

            assert at_once
            assert await backends(f'LISTEN "{topic}"')


async def test_two_subscribers_of_one_topic_are_both_notified_until_they_leave(
    topic: str,
) -> None:
    async with bus() as opened, listening(opened, topic) as stays:
        with opened.subscribe(topic) as leaves:
            leaves.clear()
            await opened.publish(topic)
            await hinted(leaves)
            await hinted(stays)

        await opened.publish(topic)

        await hinted(stays)
        assert not leaves.is_set()


async def test_postgresql_stops_listening_for_a_topic_without_subscribers(
    topic: str,
) -> None:
    async with bus() as opened:
        async with listening(opened, topic):
            pass

        async with listening(opened, f"{topic}_next"):
            last = f'LISTEN "{topic}_next"; UNLISTEN "{topic}"'

            assert await backends(last)


async def test_a_topic_that_is_subscribed_again_is_listened_for_again(
    topic: str,
) -> None:
    async with bus() as opened:
        async with listening(opened, topic):
            pass
        await opened.publish(topic)

        async with listening(opened, topic) as changed:
            await opened.publish(topic)

            await hinted(changed)


@pytest.mark.parametrize(
    "name", ["", "Online", "on-line", 'a"; DROP TABLE b; --', "1st", "a" * 64, "\u00e4"]
)
async def test_a_topic_is_an_identifier(name: str) -> None:
    message = re.escape(f"The topic {name!r} is not a lower-case identifier")
    async with bus() as opened:
        with pytest.raises(ValueError, match=message):
            await opened.publish(name)
        with pytest.raises(ValueError, match=message), opened.subscribe(name):
            pass


@pytest.mark.parametrize("name", ["select", "_", "a" * 63])
async def test_a_topic_may_be_any_identifier(name: str) -> None:
    async with bus() as opened, listening(opened, name) as changed:
        published = await opened.publish(name)

        assert published
        await hinted(changed)


async def test_thousands_of_hints_are_merged_into_few(topic: str) -> None:
    async with (
        bus() as one,
        bus() as other,
        listening(other, topic) as changed,
        connected() as own,
    ):
        await own.execute(sql.SQL("LISTEN {}").format(sql.Identifier(topic)))

        outcomes = await asyncio.gather(*(one.publish(topic) for _ in range(5000)))

        assert all(outcomes)
        await hinted(changed)
        await own.execute("SELECT 1")
        assert 1 <= len([each async for each in own.notifies(timeout=0)]) < 10


async def test_each_of_many_hints_in_a_row_is_received(topic: str) -> None:
    async with bus() as one, bus() as other, listening(other, topic) as changed:
        for _ in range(500):
            assert await one.publish(topic)
            await hinted(changed)


async def test_a_cancelled_publisher_does_not_affect_the_others(
    topic: str,
) -> None:
    async with bus() as opened:
        publishing = [asyncio.create_task(opened.publish(topic)) for _ in range(3)]
        await asyncio.sleep(0)

        publishing[1].cancel()
        outcomes = await asyncio.gather(*publishing, return_exceptions=True)

        assert (outcomes[0], outcomes[2]) == (True, True)
        assert isinstance(outcomes[1], asyncio.CancelledError)


async def test_a_topic_can_be_subscribed_any_number_of_times(topic: str) -> None:
    """More often than psycopg executes a statement before it prepares it."""
    async with bus() as opened:
        for _ in range(20):
            with opened.subscribe(topic), opened.subscribe(f"{topic}_other"):
                assert await opened.publish(topic)
            assert await opened.publish(topic)


async def test_a_killed_backend_is_replaced_and_all_subscribers_get_a_hint(
    topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with bus() as one, bus() as other, listening(one, topic) as changed:
        for _ in range(2):
            [pid] = await backends(f'LISTEN "{topic}"')

            await terminate(pid)

            await hinted(changed)
            [successor] = await backends(f'LISTEN "{topic}"')
            assert successor != pid
            assert await other.publish(topic)
            await hinted(changed)
    assert log_of(caplog) == [DOWN, BACK] * 2


async def test_the_bus_reconnects_to_a_restarted_database(
    topic: str,
    move: Callable[[str, str | int], None],
    own_directory: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory = own_directory / "postgres"
    with await asyncio.to_thread(embedded.hold, directory) as running:
        place = conninfo_to_dict(embedded.url(directory))
        # The name of the tests' database, which earlier tests may have created.
        name = str(database.parameters()["dbname"])
        if name != place["dbname"]:
            async with await psycopg.AsyncConnection.connect(
                embedded.url(directory), autocommit=True
            ) as new:
                await new.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
                )
        move(str(place["host"]), str(place["port"]))
        async with bus() as opened, listening(opened, topic) as changed:
            running.release()
            published_while_away = await opened.publish(topic)
            async with asyncio.timeout(SECONDS):
                for _ in range(
                    1000
                ):  # At once, not only when the next attempt has failed.
                    await opened.publish(topic)
            with await asyncio.to_thread(embedded.hold, directory):
                await hinted(changed)
                published = await opened.publish(topic)
                await hinted(changed)
                logged = log_of(caplog)

    assert (published_while_away, published) == (False, True)
    assert logged == [DOWN, BACK]


async def test_the_bus_starts_while_the_database_is_down(
    topic: str,
    move: Callable[[str, str | int], None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    place = database.parameters()
    move(str(tmp_path), 1)
    async with bus() as opened:
        with opened.subscribe(topic) as changed:
            await hinted(changed)
            published_while_away = await opened.publish(topic)
            logged_while_away = log_of(caplog)

            move(place["host"], place.get("port", 5432))
            await hinted(changed)

            assert not published_while_away
            assert await opened.publish(topic)
            await hinted(changed)
    assert logged_while_away == [DOWN]
    assert log_of(caplog) == [DOWN, BACK]


async def test_a_connection_that_has_silently_died_is_noticed_and_replaced(
    topic: str, proxy: Proxy, settings: Settings
) -> None:
    settings.DATABASE_SECONDS = 0.2
    async with bus(heartbeat_seconds=0.1) as opened:
        async with listening(opened, topic) as changed:
            proxy.blackhole()

            async with asyncio.timeout(2):
                await proxy.accepted.wait()

            proxy.forwarding.set()
            await hinted(changed)
            assert await opened.publish(topic)
            await hinted(changed)


async def test_publishing_returns_false_on_a_connection_that_has_silently_died(
    topic: str, proxy: Proxy, settings: Settings
) -> None:
    settings.DATABASE_SECONDS = 0.2
    async with bus(heartbeat_seconds=60) as opened:
        proxy.blackhole()

        async with asyncio.timeout(2):
            published = await opened.publish(topic)

        assert not published


async def test_publishing_returns_false_after_the_heartbeat_has_failed(
    topic: str, proxy: Proxy, settings: Settings
) -> None:
    settings.DATABASE_SECONDS = 0.2
    async with bus(heartbeat_seconds=0.1) as opened:
        proxy.blackhole()
        await proxy.swallowed.wait()

        async with asyncio.timeout(2):
            published = await opened.publish(topic)

        assert not published


async def test_a_bus_closes_soon_even_if_postgresql_does_not_respond(
    topic: str, proxy: Proxy
) -> None:
    async with asyncio.timeout(3) as deadline:
        async with bus() as opened:
            proxy.blackhole()
            publishing = asyncio.create_task(opened.publish(topic))
            await proxy.swallowed.wait()

        assert not await publishing
    assert not deadline.expired()


async def test_a_closed_bus_leaves_no_connection_or_task(topic: str) -> None:
    async with bus() as opened:
        publishing = asyncio.create_task(opened.publish(topic))
        await asyncio.sleep(0)
        await opened.publish(topic)

    assert await publishing
    assert not await opened.publish(topic)
    assert asyncio.all_tasks() == {asyncio.current_task()}
