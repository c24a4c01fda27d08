"""The leases in PostgreSQL, whose clock decides when they expire."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from async_api.online.leases import Lease
from async_api.online.processes import Process
from async_views.runtime.postgres.database import Connection

COLUMNS = """
SELECT worker, machine, pid, started, connections,
    extract(epoch FROM expires_at - now())::float8
FROM online_lease WHERE expires_at > now()
"""
# One round trip writes our lease, reads the others, and deletes expired ones, except those
# that another worker is deleting.
WRITE = f"""
WITH written AS (
    INSERT INTO online_lease (worker, machine, pid, started, connections, expires_at)
    VALUES (
        %(worker)s, %(machine)s, %(pid)s, %(started)s, %(connections)s,
        now() + %(seconds)s * interval '1 second'
    )
    ON CONFLICT (worker) DO UPDATE
    SET connections = excluded.connections, expires_at = excluded.expires_at
), expired AS (
    DELETE FROM online_lease WHERE worker = ANY (ARRAY(
        SELECT worker FROM online_lease
        WHERE expires_at <= now() AND worker <> %(worker)s
        FOR UPDATE SKIP LOCKED
    ))
)
{COLUMNS}
"""
REMOVE = "DELETE FROM online_lease WHERE worker = ANY (%s)"
TOTAL = "SELECT coalesce(sum(connections), 0)::bigint FROM online_lease WHERE expires_at > now()"


async def write(
    database: Connection,
    worker: UUID,
    process: Process,
    connections: int,
    seconds: float,
) -> list[Lease]:
    """Writes the worker's lease; returns all leases as they were just before."""
    values = {
        "worker": worker,
        "machine": process.machine,
        "pid": process.pid,
        "started": process.started,
        "connections": connections,
        "seconds": seconds,
    }
    cursor = await database.execute(WRITE, values)
    return [lease_of(row) for row in await cursor.fetchall()]


async def read(database: Connection) -> list[Lease]:
    cursor = await database.execute(COLUMNS)
    return [lease_of(row) for row in await cursor.fetchall()]


async def remove(database: Connection, workers: Iterable[UUID]) -> None:
    await database.execute(REMOVE, [list(workers)])


async def total(database: Connection) -> int:
    """The sum of all leases, for a process that holds none."""
    cursor = await database.execute(TOTAL)
    [(connections,)] = await cursor.fetchall()
    return int(connections)


def lease_of(row: tuple[Any, ...]) -> Lease:
    worker, machine, pid, started, connections, seconds_left = row
    return Lease(worker, Process(machine, pid, started), connections, seconds_left)
