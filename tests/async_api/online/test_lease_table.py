"""PostgreSQL keeps each worker's last number, until its lease expires."""

import asyncio
import uuid
from dataclasses import replace

import psycopg

from async_api.online import lease_table
from async_api.online.leases import Lease
from async_api.online.processes import Process
from async_views.runtime.postgres import database
from async_views.runtime.postgres.database import Connection

ONE, OTHER = uuid.uuid4(), uuid.uuid4()
PROCESS = Process("a machine", 4711, 12345)


async def rows(connection: Connection) -> int:
    cursor = await connection.execute("SELECT count(*) FROM online_lease")
    [(count,)] = await cursor.fetchall()
    return int(count)


async def expire(connection: Connection, worker: uuid.UUID) -> None:
    await connection.execute(
        "UPDATE online_lease SET expires_at = now() WHERE worker = %s", [worker]
    )


async def test_a_lease_is_read_as_it_was_written(connection: Connection) -> None:
    before = await lease_table.write(connection, ONE, PROCESS, 7, 10)

    [lease] = await lease_table.read(connection)

    assert before == []
    assert 9 < lease.seconds_left <= 10
    assert lease == Lease(ONE, PROCESS, 7, lease.seconds_left)


async def test_a_write_returns_what_the_others_wrote(connection: Connection) -> None:
    await lease_table.write(connection, ONE, PROCESS, 7, 10)

    [heard] = await lease_table.write(connection, OTHER, PROCESS, 1, 10)

    assert (heard.worker, heard.connections) == (ONE, 7)


async def test_the_newest_number_replaces_the_earlier_ones(
    connection: Connection,
) -> None:
    for connections in (7, 9, 3):
        await lease_table.write(connection, ONE, PROCESS, connections, 10)

    assert await lease_table.total(connection) == 3
    assert await rows(connection) == 1


async def test_an_expired_lease_does_not_count(
    connection: Connection,
) -> None:
    await lease_table.write(connection, ONE, PROCESS, 7, 10)
    await lease_table.write(connection, OTHER, PROCESS, 2, 10)

    await expire(connection, ONE)

    assert [each.worker for each in await lease_table.read(connection)] == [OTHER]
    assert await lease_table.total(connection) == 2


async def test_the_next_write_removes_expired_leases(
    connection: Connection,
) -> None:
    await lease_table.write(connection, ONE, PROCESS, 7, 10)
    await expire(connection, ONE)

    await lease_table.write(connection, OTHER, PROCESS, 2, 10)

    assert await rows(connection) == 1


async def test_a_worker_that_resumes_after_its_lease_expired_gets_a_new_one(
    connection: Connection,
) -> None:
    await lease_table.write(connection, ONE, PROCESS, 7, 10)
    await expire(connection, ONE)

    await lease_table.write(connection, ONE, PROCESS, 8, 10)

    assert await lease_table.total(connection) == 8


async def test_a_writer_does_not_wait_for_one_that_is_stuck(
    connection: Connection,
) -> None:
    stuck = uuid.uuid4()
    await lease_table.write(connection, stuck, PROCESS, 1, 10)
    await expire(connection, stuck)
    async with (
        await psycopg.AsyncConnection.connect(**database.parameters()) as other,
        other.transaction(),
    ):
        await other.execute("SELECT 1 FROM online_lease FOR UPDATE")

        async with asyncio.timeout(5):
            await lease_table.write(connection, ONE, PROCESS, 1, 10)


async def test_leases_are_removed_when_they_are_released(
    connection: Connection,
) -> None:
    await lease_table.write(connection, ONE, PROCESS, 7, 10)
    await lease_table.write(connection, OTHER, replace(PROCESS, pid=2), 2, 10)

    await lease_table.remove(connection, [ONE, uuid.uuid4()])

    assert await lease_table.total(connection) == 2


async def test_without_leases_the_total_is_zero(connection: Connection) -> None:
    assert await lease_table.total(connection) == 0


async def test_a_table_of_heartbeats_stops_growing(connection: Connection) -> None:
    sizes = [0]
    # A long transaction elsewhere, such as an autovacuum, may still need old versions
    # of the rows.
    for _ in range(10):
        for _ in range(1000):
            await lease_table.write(connection, ONE, PROCESS, 7, 10)
        cursor = await connection.execute("SELECT pg_relation_size('online_lease')")
        [(size,)] = await cursor.fetchall()
        sizes.append(size)
        if sizes[-1] == sizes[-2]:
            break

    assert sizes[-1] == sizes[-2], sizes
