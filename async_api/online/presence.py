"""A worker's part in counting users online, from its start to its end.

It counts its own sockets, renews its lease, listens for changes by other workers, and
sends the number to every socket.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import psycopg
from django.conf import settings
from django.http import HttpRequest

from async_api.online import lease_table
from async_api.online.broadcast import (
    MAX_FRAMES_PER_SECOND,
    REPEAT_SECONDS,
    Broadcast,
    Socket,
)
from async_api.online.leases import Count, Step, Times
from async_api.online.processes import this_process
from async_api.online.socket_limit import SocketLimit
from async_views.runtime.asgi.state import StateKey
from async_views.runtime.postgres.bus import Bus
from async_views.runtime.postgres.database import Pool, connection
from async_views.runtime.postgres.outage import Outage

logger = logging.getLogger(__name__)

TOPIC = "online"
TIMES = Times()
# Short, so that the worker soon notices that the database is back.
POOL_SECONDS = 1.0
# For removing the lease when the worker stops; after that, it is left to expire.
ENDING_SECONDS = 1.0


class Presence:
    """The users online in this worker and, as last read, in all others."""

    def __init__(self, pool: Pool, bus: Bus) -> None:
        self.pool = pool
        self.bus = bus
        self.process = this_process()
        self.count = Count(uuid.uuid4(), self.process, TIMES)
        self.socket_limit = SocketLimit(
            settings.ONLINE_SOCKETS, settings.ONLINE_SOCKETS_OF_AN_ADDRESS
        )
        self.broadcast = Broadcast(1 / MAX_FRAMES_PER_SECOND, REPEAT_SECONDS)
        self.wake = asyncio.Event()
        self.outage = Outage(
            logger,
            down="The numbers of other workers are the last known ones, because the "
            "database is unavailable",
            up="The numbers of other workers are current again.",
        )

    @property
    def total(self) -> int:
        return self.count.total

    @contextmanager
    def joined(self, socket: Socket) -> Iterator[None]:
        """Counts the socket, and sends it the number, while the block runs."""
        self._change_own(+1)
        self.broadcast.add(socket)
        try:
            yield
        finally:
            self.broadcast.discard(socket)
            self._change_own(-1)

    def _change_own(self, change: int) -> None:
        self.count.own += change
        self.broadcast.show(self.total)
        self.wake.set()

    async def listen(self) -> None:
        """Until cancelled: notes that other workers changed something, or may have."""
        with self.bus.subscribe(TOPIC) as changed:
            while True:
                await changed.wait()
                changed.clear()
                self.count.hint()
                self.wake.set()

    async def keep(self) -> None:
        """Until cancelled: takes each step when it is due."""
        while True:
            self.wake.clear()
            due, step = self.count.next_step()
            delay = due - time.monotonic()
            if delay > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self.wake.wait()
            else:
                await self.take(step)
                self.broadcast.show(self.total)

    async def take(self, step: Step) -> None:
        if step is Step.CHECK:
            self.count.check_processes(time.monotonic())
            return
        self.count.begin_query(time.monotonic())
        try:
            async with asyncio.timeout(settings.DATABASE_SECONDS):
                is_news = await self.query(step)
        except (psycopg.Error, TimeoutError) as error:
            self.count.failed(time.monotonic())
            self.outage.begin(error)
        else:
            self.outage.end()
            if is_news:
                await self.bus.publish(TOPIC)

    async def query(self, step: Step) -> bool:
        """Queries the database. Returns whether other workers should read again."""
        async with self.pool.connection(timeout=POOL_SECONDS) as database:
            if step is Step.REMOVE:
                await lease_table.remove(database, self.count.dead)
                self.count.removed()
                return True
            if step is Step.READ:
                leases = await lease_table.read(database)
                self.count.read(time.monotonic(), leases)
                return False
            own = self.count.own
            leases = await lease_table.write(
                database,
                self.count.worker,
                self.process,
                own,
                self.count.times.lease,
            )
            return self.count.wrote(time.monotonic(), own, leases)

    async def give_back(self) -> None:
        """Removes the lease, so that other workers need not wait for it to expire."""
        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                async with self.pool.connection() as database:
                    await lease_table.remove(database, [self.count.worker])
                await self.bus.publish(TOPIC)


PRESENCE = StateKey[Presence]("online")


@asynccontextmanager
async def presence(pool: Pool, bus: Bus) -> AsyncIterator[Presence]:
    """Runs the worker's presence during its lifespan; begins with the others' numbers."""
    opened = Presence(pool, bus)
    await opened.take(Step.WRITE)
    tasks = [
        asyncio.create_task(each)
        for each in (opened.listen(), opened.keep(), opened.broadcast.keep())
    ]
    try:
        yield opened
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await opened.give_back()


async def total(request: HttpRequest) -> int:
    """The number of users online, from the worker or, without a lifespan, the leases.

    Raises an error for which ``database.is_unavailable`` is true if it cannot read them.
    """
    worker = PRESENCE.find(request)
    if worker is not None:
        return worker.total
    async with connection(request) as database:
        return await lease_table.total(database)


async def total_or_none(request: HttpRequest, seconds: float) -> int | None:
    """The same, or None if the leases cannot be read in time."""
    try:
        async with asyncio.timeout(seconds):
            return await total(request)
    except (psycopg.Error, TimeoutError):
        return None
