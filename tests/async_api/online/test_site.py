"""On the real site the count is right after kills, stops and lost connections."""

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil
import psycopg
import pytest

from async_views.runtime.postgres import embedded
from tests.async_api.online.listeners import Crowd, Listener, crowd
from tests.support.site import PATIENCE, SECONDS_TO_WAIT, Site

QUICK_COUNTER = "tests.support.quick_counter:application"
SETTINGS = {
    "PREPARE_ON_START": "1",
    "WORKERS": "2",
    "ONLINE_WITHOUT_ORIGIN": "1",
    "ONLINE_SOCKETS_OF_AN_ADDRESS": "0",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PostgreSQL for these tests alone, so that no other sockets are counted."""
    return tmp_path_factory.mktemp("postgres")


@pytest.fixture
def site(database: Path) -> Iterator[Site]:
    with Site(**SETTINGS, EMBEDDED_POSTGRES_DIR=str(database)) as site:
        site.wait_until(lambda site: site.output.count("startup complete") == 2)
        yield site


@asynccontextmanager
async def spread(site: Site, least: int = 3) -> AsyncIterator[Crowd]:
    """Listeners on each worker, which all have the same number."""
    async with crowd(site.url) as everybody:
        while min(len(of(worker, everybody)) for worker in site.workers()) < least:
            await everybody.join()
        await everybody.agree(len(everybody.listeners))
        yield everybody


def of(worker: psutil.Process, everybody: Crowd) -> list[Listener]:
    """The listeners that this worker serves."""
    ports = {each.raddr.port for each in worker.net_connections("tcp") if each.raddr}
    return [each for each in everybody.listeners if each.port in ports]


def leases(database: Path) -> list[tuple[int, int]]:
    """Each worker's process and number."""
    with psycopg.connect(embedded.url(database)) as connection:
        return connection.execute(
            "SELECT pid, connections FROM online_lease ORDER BY pid"
        ).fetchall()


async def test_all_workers_show_all_sockets(site: Site, database: Path) -> None:
    async with spread(site) as everybody:
        [late] = await everybody.join()
        await everybody.agree(len(everybody.listeners), seconds=2)

        assert sorted(leases(database)) == sorted(
            (worker.pid, len(of(worker, everybody))) for worker in site.workers()
        )
        await everybody.leave([late])
        await everybody.agree(len(everybody.listeners), seconds=2)


async def test_the_sockets_of_a_killed_worker_are_not_counted_after_three_seconds(
    site: Site,
) -> None:
    async with spread(site) as everybody:
        doomed = site.workers()[0]
        victims = of(doomed, everybody)

        doomed.kill()
        await everybody.until(lambda: all(each.code for each in victims), 5)

        await everybody.agree(len(everybody.listeners) - len(victims), seconds=3)
        site.wait_until(lambda site: site.output.count("startup complete") == 3)
        await everybody.join(5)
        await everybody.agree(len(everybody.listeners) - len(victims), seconds=3)


async def test_workers_killed_together_leave_no_sockets_counted(site: Site) -> None:
    async with spread(site) as everybody:
        for worker in site.workers():
            worker.kill()
        site.wait_until(lambda site: site.output.count("startup complete") == 4)

        survivors = await everybody.join(3)

        await everybody.agree(3, seconds=3, among=survivors)


async def test_a_worker_suspended_beyond_its_lease_is_counted_again(
    database: Path,
) -> None:
    with Site(QUICK_COUNTER, **SETTINGS, EMBEDDED_POSTGRES_DIR=str(database)) as site:
        site.wait_until(lambda site: site.output.count("startup complete") == 2)
        async with spread(site) as everybody:
            stopped, other = site.workers()
            still, heard = of(stopped, everybody), of(other, everybody)

            stopped.suspend()
            try:
                await everybody.agree(len(heard), seconds=5, among=heard)
            finally:
                stopped.resume()

            await everybody.agree(len(still) + len(heard), seconds=3)


async def test_without_the_database_no_socket_is_lost_and_changes_are_still_shown(
    site: Site, database: Path
) -> None:
    async with spread(site) as everybody:
        postmaster = int((database / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        psutil.Process(postmaster).wait(SECONDS_TO_WAIT)
        site.wait_until(lambda site: "are the last known ones" in site.output)

        [late] = await everybody.join()
        [worker] = [each for each in site.workers() if late in of(each, everybody)]
        number = len(everybody.listeners)
        await everybody.agree(number, seconds=2, among=of(worker, everybody))

        with embedded.hold(database):
            await everybody.agree(number, seconds=5)
            assert not any(each.code for each in everybody.listeners)
            await everybody.leave([late])
            await everybody.agree(number - 1, seconds=3)
            # The pages of a stopping site do not need this database.
            site.terminate()
            assert site.wait(10 * PATIENCE) == 0
    assert "Traceback" not in site.output


async def test_many_joins_at_once_end_in_one_number_and_few_frames(site: Site) -> None:
    async with crowd(site.url) as everybody:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(everybody.join(10) for _ in range(50)))

        took = await everybody.agree(500, seconds=3)

        seconds = loop.time() - began
        assert took < 3 * PATIENCE
        most = max(len(each.numbers) for each in everybody.listeners)
        assert most <= 6 * (seconds + 1)


async def test_after_many_joins_and_leaves_the_number_is_right(
    site: Site, database: Path
) -> None:
    chance = random.Random(7)
    async with spread(site) as everybody:
        for _ in range(20):
            await asyncio.gather(*(everybody.join(5) for _ in range(6)))
            leaving = chance.sample(everybody.listeners, 28)
            await everybody.leave(leaving[:14])
            await everybody.lose(leaving[14:])

        stayed = len(everybody.listeners)
        await everybody.agree(stayed, seconds=3)

        assert sum(number for _, number in leases(database)) == stayed


async def test_a_site_that_stops_closes_all_sockets_and_removes_its_leases(
    database: Path,
) -> None:
    with (
        embedded.hold(database),
        Site(**SETTINGS, EMBEDDED_POSTGRES_DIR=str(database)) as site,
    ):
        site.wait_until(lambda site: site.output.count("startup complete") == 2)
        async with spread(site) as everybody:
            site.terminate()

            await everybody.until(
                lambda: all(each.code for each in everybody.listeners), 2
            )
            assert site.wait(5 * PATIENCE) == 0

            assert {each.code for each in everybody.listeners} == {1012}
            assert leases(database) == []
    assert "Traceback" not in site.output


def number_on_the_page(site: Site) -> int:
    with urlopen(f"{site.url}/counter/") as answer:
        page = answer.read().decode()
    [number] = re.findall(r"data-online-count>(\d+)<", page)
    return int(number)


async def test_under_wsgi_the_page_shows_the_count_of_the_asgi_workers(
    site: Site, database: Path
) -> None:
    async with spread(site) as everybody:
        with Site(
            *("-k", "sync", "async_views.wsgi"),
            EMBEDDED_POSTGRES_DIR=str(database),
        ) as wsgi:
            for each in (site, wsgi):
                # A worker that did not run for a while renews its lease first.
                deadline = time.monotonic() + 30
                while number_on_the_page(each) != len(everybody.listeners):
                    assert time.monotonic() < deadline
