"""Who is online? What a worker does about it, from its start to its end.

It counts its own sockets, keeps its lease, hears from the others that something has
changed, and shows every socket the number.
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
from async_api.online.broadcast import Broadcast, Socket
from async_api.online.leases import Count, Step, Times
from async_api.online.processes import this_process
from async_api.online.socket_limit import SocketLimit
from async_views.runtime.postgres.bus import Bus
from async_views.runtime.postgres.database import Pool, connection

logger = logging.getLogger(__name__)

TOPIC = "online"
# Asked anew so often, a pool notices soon that its database is back.
POOL_SECONDS = 1.0
# In which a worker that ends gives its lease back, or leaves it to expire.
ENDING_SECONDS = 1.0


class Presence:
    """Who is online in this worker and, as far as it has heard, in all others."""

    def __init__(self, pool: Pool, bus: Bus) -> None:
        self.pool = pool
        self.bus = bus
        self.process = this_process()
        self.count = Count(uuid.uuid4(), self.process, configured_times())
        self.socket_limit = SocketLimit(
            settings.ONLINE_SOCKETS, settings.ONLINE_SOCKETS_OF_AN_ADDRESS
        )
        self.broadcast = Broadcast(
            1 / settings.ONLINE_FRAMES_A_SECOND, settings.ONLINE_REPEAT_SECONDS
        )
        self.wake = asyncio.Event()
        self.is_failing = False

    @property
    def total(self) -> int:
        return self.count.total

    @contextmanager
    def joined(self, socket: Socket) -> Iterator[None]:
        """The socket counts, and is shown the number, for as long as the block lasts."""
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
        """Until cancelled: notes that others have changed something, or may have."""
        with self.bus.subscribe(TOPIC) as changed:
            while True:
                await changed.wait()
                changed.clear()
                self.count.hint()
                self.wake.set()

    async def keep(self) -> None:
        """Until cancelled: does what is due for the count."""
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
        if step is Step.LOOK:
            self.count.look(time.monotonic())
            return
        self.count.ask(time.monotonic())
        try:
            async with asyncio.timeout(settings.DATABASE_SECONDS):
                is_news = await self.ask(step)
        except (psycopg.Error, TimeoutError) as error:
            self.count.failed(time.monotonic())
            self.note_failure(error)
        else:
            self.note_success()
            if is_news:
                await self.bus.publish(TOPIC)

    async def ask(self, step: Step) -> bool:
        """Asks the database, and returns whether others should be told to read again."""
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
        """The worker ends, and others should not have to wait for its lease to expire."""
        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                async with self.pool.connection() as database:
                    await lease_table.remove(database, [self.count.worker])
                await self.bus.publish(TOPIC)

    def note_failure(self, error: Exception) -> None:
        if not self.is_failing:
            logger.warning(
                "Who is online elsewhere is as it was read last, as the database does "
                "not say: %s: %s",
                type(error).__name__,
                " ".join(str(error).split()),
            )
        self.is_failing = True

    def note_success(self) -> None:
        if self.is_failing:
            logger.warning("Who is online elsewhere is read again.")
        self.is_failing = False


def configured_times() -> Times:
    return Times(
        flush=settings.ONLINE_FLUSH_SECONDS,
        heartbeat=settings.ONLINE_HEARTBEAT_SECONDS,
        lease=settings.ONLINE_LEASE_SECONDS,
    )


@asynccontextmanager
async def presence(pool: Pool, bus: Bus) -> AsyncIterator[Presence]:
    """The worker's, for its lifespan: it begins with what the others have."""
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
    """How many are online, as the worker knows it; without a lifespan, as the leases say.

    Raises an error for which ``database.is_unavailable`` is true when they cannot.
    """
    worker: Presence | None = (
        getattr(request, "scope", {}).get("state", {}).get("online")
    )
    if worker is not None:
        return worker.total
    async with connection(request) as database:
        return await lease_table.total(database)


async def total_or_none(request: HttpRequest, seconds: float) -> int | None:
    """The same, but None where the leases cannot be read in time."""
    try:
        async with asyncio.timeout(seconds):
            return await total(request)
    except (psycopg.Error, TimeoutError):
        return None
