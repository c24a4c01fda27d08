"""Notifications between workers, by PostgreSQL's LISTEN and NOTIFY.

Each worker has one connection for it. A notification has no payload: it is a hint to read
again. A lost hint costs delay until the reader's next timer, but never makes an answer
wrong, and hints for one topic may be merged.

    with bus.subscribe("online") as changed:
        while True:
            await changed.wait()
            changed.clear()
            ...  # Read again.
"""

import asyncio
import logging
import os
import random
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import LiteralString

import psycopg
from django.conf import settings
from psycopg import sql

from async_views.runtime.postgres import database
from async_views.runtime.postgres.database import Connection
from async_views.runtime.postgres.outage import Outage

logger = logging.getLogger(__name__)

# A connection that has been silent for this long is checked.
HEARTBEAT_SECONDS = 3.0
# A reconnect waits for a random part of the first, doubled after each failure, up to the
# second, so that workers that lost the same database do not reconnect in step.
MIN_RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 1.0
# For the current statement when the bus closes.
CLOSING_SECONDS = 1.0

# PostgreSQL truncates identifiers after 63 bytes (NAMEDATALEN).
TOPIC = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Bus:
    """The worker's subscriptions, and its connection while it has one.

    Only one task, `keep`, uses the connection: psycopg locks it while waiting for
    notifications. The others change what is wanted, wake `keep`, and wait.
    """

    def __init__(self, heartbeat_seconds: float) -> None:
        self.heartbeat_seconds = heartbeat_seconds
        self.subscribers: dict[str, set[asyncio.Event]] = {}
        self.to_publish: set[str] = set()
        # Whether the topics above have been published.
        self.published: asyncio.Future[bool] = asyncio.Future()
        self.wake = asyncio.Event()
        self.is_up = False
        # Set when the first attempt to connect has succeeded or failed.
        self.was_tried = asyncio.Event()
        self.outage = Outage(
            logger,
            down="The bus is down, so that changes by other workers are seen later",
            up="The bus is up again: changes by other workers are seen at once.",
        )
        self.failures = 0
        self.connection: Connection | None = None
        # Held while a statement runs.
        self.statement_lock = asyncio.Lock()

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set when any worker publishes on the topic.

        It is also set whenever a notification may have been missed: at first, when
        PostgreSQL starts to listen for us, and after each reconnect. Clear it, then read
        again. Raises ValueError for a topic that is not a lower-case identifier.
        """
        require_topic(topic)
        changed = asyncio.Event()
        changed.set()
        self.subscribers.setdefault(topic, set()).add(changed)
        self.wake.set()
        try:
            yield changed
        finally:
            self.subscribers[topic].discard(changed)
            if not self.subscribers[topic]:
                del self.subscribers[topic]
                self.wake.set()

    async def publish(self, topic: str) -> bool:
        """Wakes the topic's subscribers in all workers; returns whether it could.

        Returns False at once while the bus is down, otherwise within DATABASE_SECONDS.
        Raises ValueError for a topic that is not a lower-case identifier.
        """
        require_topic(topic)
        if not self.is_up:
            return False
        self.to_publish.add(topic)
        self.wake.set()
        # Shielded, because others wait for the same result.
        return await asyncio.shield(self.published)

    async def keep(self) -> None:
        """Connects, and reconnects after each loss, until cancelled."""
        while True:
            try:
                self.connection = await psycopg.AsyncConnection.connect(
                    **database.parameters()
                )
                await self.converse(self.connection)
            except psycopg.Error as error:
                self.outage.begin(error)
            finally:
                self.is_up = False
                self.was_tried.set()
                self.resolve(False)
                if self.connection is not None:
                    await self.connection.close()
                    self.connection = None
            longest = MIN_RETRY_SECONDS * 2 ** min(self.failures, 10)
            await asyncio.sleep(random.uniform(0, min(longest, MAX_RETRY_SECONDS)))
            self.failures += 1

    async def converse(self, connection: Connection) -> None:
        """Sends and receives notifications until it raises psycopg.Error."""
        listening: set[str] = set()
        await self.execute(connection, sql.SQL("SELECT 1"))
        self.note_return()
        while True:
            self.wake.clear()
            await self.listen(connection, listening)
            await self.notify(connection)
            # Also those received during statements, which psycopg has kept.
            async for notification in connection.notifies(timeout=0):
                self.set_events(notification.channel)
            try:
                await self.woken(connection)
            except TimeoutError:
                await self.execute(connection, sql.SQL("SELECT 1"))

    async def listen(self, connection: Connection, listening: set[str]) -> None:
        """Has PostgreSQL listen for exactly the topics that are subscribed to now."""
        wanted = set(self.subscribers)
        new, old = wanted - listening, listening - wanted
        if not (new or old):
            return
        await self.execute(connection, *each("LISTEN", new), *each("UNLISTEN", old))
        listening ^= new | old
        for topic in new:
            self.set_events(topic)

    async def notify(self, connection: Connection) -> None:
        """Publishes all waiting topics together: a commit that notifies locks out others.

        https://www.postgresql.org/docs/18/sql-notify.html
        """
        if not self.to_publish:
            return
        topics, self.to_publish = self.to_publish, set()
        published, self.published = self.published, asyncio.Future()
        try:
            await self.execute(connection, *each("NOTIFY", topics))
            published.set_result(True)
        finally:
            if not published.done():
                published.set_result(False)

    async def execute(
        self, connection: Connection, *statements: sql.Composable
    ) -> None:
        """Executes them in one round trip; raises psycopg.Error after DATABASE_SECONDS."""
        loop = asyncio.get_running_loop()
        async with self.statement_lock:
            # Not asyncio.timeout: psycopg would ask the server to cancel the statement,
            # and wait 10 s for a server that does not respond.
            timer = loop.call_later(settings.DATABASE_SECONDS, cut_off, connection)
            try:
                await connection.execute(sql.SQL("; ").join(statements))
            finally:
                timer.cancel()

    async def woken(self, connection: Connection) -> None:
        """Waits until this worker wants something or PostgreSQL sends something.

        Raises TimeoutError after the heartbeat's interval.
        """
        loop = asyncio.get_running_loop()
        descriptor = connection.fileno()
        loop.add_reader(descriptor, self.wake.set)
        try:
            async with asyncio.timeout(self.heartbeat_seconds):
                await self.wake.wait()
        finally:
            loop.remove_reader(descriptor)

    async def close(self, keeping: asyncio.Task[None]) -> None:
        """Ends the task that keeps the connection, and the connection with it."""
        loop = asyncio.get_running_loop()
        timer = None
        if self.connection is not None:
            timer = loop.call_later(CLOSING_SECONDS, cut_off, self.connection)
        # `execute` says why no statement is cancelled.
        async with self.statement_lock:
            keeping.cancel()
        if timer is not None:
            timer.cancel()
        await asyncio.wait([keeping])

    def set_events(self, topic: str) -> None:
        for changed in self.subscribers.get(topic, ()):
            changed.set()

    def resolve(self, was_published: bool) -> None:
        """Resolves the future of those that wait to publish."""
        self.published.set_result(was_published)
        self.published = asyncio.Future()

    def note_return(self) -> None:
        self.is_up = True
        self.failures = 0
        self.was_tried.set()
        self.outage.end()


@asynccontextmanager
async def bus(heartbeat_seconds: float = HEARTBEAT_SECONDS) -> AsyncIterator[Bus]:
    """The worker's bus, for its lifespan; it is down while the database is down."""
    opened = Bus(heartbeat_seconds)
    keeping = asyncio.create_task(opened.keep())
    try:
        await opened.was_tried.wait()
        yield opened
    finally:
        await opened.close(keeping)


def each(verb: LiteralString, topics: set[str]) -> list[sql.Composable]:
    return [
        sql.SQL(verb + " {}").format(sql.Identifier(topic)) for topic in sorted(topics)
    ]


def cut_off(connection: Connection) -> None:
    """Makes a connection fail as if the server had closed it."""
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as end:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def require_topic(topic: str) -> None:
    if not TOPIC.fullmatch(topic):
        raise ValueError(
            f"The topic {topic!r} is not a lower-case identifier of at most 63 characters."
        )
