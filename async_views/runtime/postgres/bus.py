"""How does one worker tell all others that something has changed?

By PostgreSQL's LISTEN and NOTIFY, on one connection a worker. What is published carries no
payload: it is a hint to read again. So a lost hint costs delay until the reader's next
timer, and never makes an answer wrong; and hints may be folded together.

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

# A connection on which nothing was said for so long is asked whether it still works.
HEARTBEAT_SECONDS = 3.0
# A reconnect waits a random part of this, doubled after each that failed, up to the
# second: many workers that lost the same database do not come back in step.
MIN_RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 1.0
# What the statement under way is given when the bus closes.
CLOSING_SECONDS = 1.0

# As PostgreSQL's identifiers, which it cuts off after 63 bytes (NAMEDATALEN).
TOPIC = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Bus:
    """The worker's subscriptions, and its connection while there is one.

    One task alone (`keep`) talks to PostgreSQL. The others say what they want, wake it,
    and wait: psycopg's connection is locked for as long as it waits for notifications.
    """

    def __init__(self, heartbeat_seconds: float) -> None:
        self.heartbeat_seconds = heartbeat_seconds
        self.subscribers: dict[str, set[asyncio.Event]] = {}
        self.to_publish: set[str] = set()
        # Whether the topics above have been published, once it is known.
        self.published: asyncio.Future[bool] = asyncio.Future()
        self.wake = asyncio.Event()
        self.is_up = False
        # Set once the first attempt to connect has succeeded, or failed.
        self.was_tried = asyncio.Event()
        self.outage = Outage(
            logger,
            down="The bus is down, so that changes by other workers are seen later",
            up="The bus is up again: changes by other workers are seen at once.",
        )
        self.failures = 0
        self.connection: Connection | None = None
        # Held while PostgreSQL is asked something.
        self.asking = asyncio.Lock()

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set when something was published on the topic, by any worker.

        It is set as well whenever something may have been missed: now, once PostgreSQL
        listens for us, and after each reconnect. Clear it, then read again.
        Raises ValueError for a topic that is no lower-case identifier.
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
        """Sets the topic's subscribers going, in all workers, and says whether it could.

        False at once while the bus is down, else within DATABASE_SECONDS.
        Raises ValueError for a topic that is no lower-case identifier.
        """
        require_topic(topic)
        if not self.is_up:
            return False
        self.to_publish.add(topic)
        self.wake.set()
        # Others wait for the same answer: who is cancelled must not take it with him.
        return await asyncio.shield(self.published)

    async def keep(self) -> None:
        """Until cancelled: connects, and after each loss connects again."""
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
                self.answer(False)
                if self.connection is not None:
                    await self.connection.close()
                    self.connection = None
            longest = MIN_RETRY_SECONDS * 2 ** min(self.failures, 10)
            await asyncio.sleep(random.uniform(0, min(longest, MAX_RETRY_SECONDS)))
            self.failures += 1

    async def converse(self, connection: Connection) -> None:
        """Says what is wanted and hears what comes; raises psycopg.Error at the end."""
        listening: set[str] = set()
        await self.ask(connection, sql.SQL("SELECT 1"))
        self.note_return()
        while True:
            self.wake.clear()
            await self.listen(connection, listening)
            await self.notify(connection)
            # Also what came while asking, which psycopg has kept.
            async for heard in connection.notifies(timeout=0):
                self.tell(heard.channel)
            try:
                await self.woken(connection)
            except TimeoutError:
                await self.ask(connection, sql.SQL("SELECT 1"))

    async def listen(self, connection: Connection, listening: set[str]) -> None:
        """Has PostgreSQL listen for what is subscribed to now, and for nothing else."""
        wanted = set(self.subscribers)
        new, old = wanted - listening, listening - wanted
        if not (new or old):
            return
        await self.ask(connection, *each("LISTEN", new), *each("UNLISTEN", old))
        listening ^= new | old
        for topic in new:
            self.tell(topic)

    async def notify(self, connection: Connection) -> None:
        """Publishes what waits for it, together: a commit that notifies locks out others.

        https://www.postgresql.org/docs/18/sql-notify.html
        """
        if not self.to_publish:
            return
        topics, self.to_publish = self.to_publish, set()
        published, self.published = self.published, asyncio.Future()
        try:
            await self.ask(connection, *each("NOTIFY", topics))
            published.set_result(True)
        finally:
            if not published.done():
                published.set_result(False)

    async def ask(self, connection: Connection, *statements: sql.Composable) -> None:
        """Executes them, in one round trip, or raises psycopg.Error by DATABASE_SECONDS."""
        loop = asyncio.get_running_loop()
        async with self.asking:
            # Not asyncio.timeout: when a statement is cancelled, psycopg has the server
            # cancel it too, and where that is what does not answer, waits 10 s for it.
            timer = loop.call_later(settings.DATABASE_SECONDS, cut_off, connection)
            try:
                await connection.execute(sql.SQL("; ").join(statements))
            finally:
                timer.cancel()

    async def woken(self, connection: Connection) -> None:
        """Waits until somebody here wants something, or PostgreSQL has something to say.

        Raises TimeoutError after the time in which something should have been said.
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
        """Ends the task that keeps the connection, and with it the connection."""
        loop = asyncio.get_running_loop()
        timer = None
        if self.connection is not None:
            timer = loop.call_later(CLOSING_SECONDS, cut_off, self.connection)
        # See `ask` for why no statement is cancelled.
        async with self.asking:
            keeping.cancel()
        if timer is not None:
            timer.cancel()
        await asyncio.wait([keeping])

    def tell(self, topic: str) -> None:
        for changed in self.subscribers.get(topic, ()):
            changed.set()

    def answer(self, was_published: bool) -> None:
        """Tells whoever waits to publish."""
        self.published.set_result(was_published)
        self.published = asyncio.Future()

    def note_return(self) -> None:
        self.is_up = True
        self.failures = 0
        self.was_tried.set()
        self.outage.end()


@asynccontextmanager
async def bus(heartbeat_seconds: float = HEARTBEAT_SECONDS) -> AsyncIterator[Bus]:
    """The worker's bus, for its lifespan; down for as long as the database is away."""
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
    """Has a connection fail as if the server had ended it."""
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as end:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def require_topic(topic: str) -> None:
    if not TOPIC.fullmatch(topic):
        raise ValueError(
            f"The topic {topic!r} is no lower-case identifier of at most 63 characters."
        )
