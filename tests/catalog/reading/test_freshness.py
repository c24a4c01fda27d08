"""No response is older than its request, however many requests share a query."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psycopg
import pytest

from tests.catalog.conftest import OPEN_TO_ALL
from tests.support.catalog.databases import manage, new_database
from tests.support.catalog.service import Catalog
from tests.support.site import Site

READERS = 48
WHO_LEAVE = 12
TURNS = 25
# With this many rows a query takes long enough for other requests to arrive meanwhile.
BRANDS = 400
BY_API, BY_ADMIN, BY_SQL = 1, 2, 3
PATIENCE = aiohttp.ClientTimeout(total=60)

# A query gets here after it has begun, with the snapshot of that moment.
GATE = """
CREATE FUNCTION pass_the_gate() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_lock_shared(1);
    PERFORM pg_advisory_unlock_shared(1);
    RETURN true;
END $$;
ALTER TABLE brand RENAME TO brand_rows;
ALTER TABLE product RENAME TO product_rows;
CREATE VIEW brand AS SELECT * FROM brand_rows WHERE pass_the_gate();
CREATE VIEW product AS SELECT * FROM product_rows WHERE pass_the_gate();
"""
CLOSE_THE_GATE = "SELECT pg_advisory_lock(1)"
AT_THE_GATE = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event = 'advisory'
"""
ADMINISTRATOR = """
from django.contrib.auth.models import User
User.objects.create_superuser("editor", password="of many brands")
"""


@pytest.fixture
def four_workers(migrated: str) -> Iterator[Catalog]:
    with new_database(migrated) as database:
        made = manage(database, "shell", "--no-imports", "--command", ADMINISTRATOR)
        assert made.returncode == 0, made.stderr
        with Site(DATABASE_URL=database, WORKERS="4", **OPEN_TO_ALL) as site:
            catalog = Catalog(site.url, database)
            catalog.insert("brand", [("turn 0",)] * BRANDS)
            catalog.insert("product", [("turn 0", 1)] * 3)
            yield catalog


@pytest.fixture(scope="module")
def gated(migrated: str) -> Iterator[Catalog]:
    """A site of one worker, whose queries wait at a gate while it is closed."""
    with new_database(migrated) as database:
        with Site(DATABASE_URL=database, **OPEN_TO_ALL) as site:
            catalog = Catalog(site.url, database)
            catalog.insert("brand", [("old",)])
            catalog.insert("product", [("old", 1)])
            catalog.execute(GATE)
            yield catalog


@dataclass(slots=True)
class Record:
    """What the writers committed, and what the readers saw of it."""

    committed: dict[tuple[str, int], int] = field(default_factory=dict)
    reads: int = 0
    violations: list[str] = field(default_factory=list)

    def check(self, path: str, rows: Any, floor: dict[tuple[str, int], int]) -> None:
        self.reads += 1
        seen = {}
        for row in rows if isinstance(rows, list) else [rows]:
            kind = "product" if "product_id" in row else "brand"
            seen[kind, row[f"{kind}_id"]] = turn_of(row[f"{kind}_name"])
        for key, least in floor.items():
            if key in seen and seen[key] < least:
                self.violations.append(f"{path}: {key} was {seen[key]} after {least}")


def turn_of(name: str) -> int:
    return int(name.rpartition("turn ")[2])


async def write_by_api(
    session: aiohttp.ClientSession, url: str, record: Record
) -> None:
    for turn in range(1, TURNS + 1):
        for kind in ("brand", "product"):
            async with session.patch(
                f"{url}/{kind}s/{BY_API}",
                json={f"{kind}_name": f"turn {turn}"},
                headers={"If-Match": "*"},
            ) as answer:
                assert answer.status == 200
            record.committed[kind, BY_API] = turn


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))


async def write_by_admin(
    session: aiohttp.ClientSession, url: str, record: Record
) -> None:
    login, change = (
        f"{url}/admin/login/",
        f"{url}/admin/catalog/brand/{BY_ADMIN}/change/",
    )
    async with session.get(login) as page:
        form = hidden(await page.text())
    form |= {"username": "editor", "password": "of many brands"}
    async with session.post(login, data=form, allow_redirects=False) as answer:
        assert answer.status == 302
    for turn in range(1, TURNS + 1):
        async with session.get(change) as page:
            form = hidden(await page.text())
        form |= {"name": f"turn {turn}"}
        async with session.post(change, data=form, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
        record.committed["brand", BY_ADMIN] = turn


async def write_by_sql(database: str, record: Record) -> None:
    connection = await psycopg.AsyncConnection.connect(database, autocommit=True)
    async with connection:
        for turn in range(1, TURNS * 4 + 1):
            for kind in ("brand", "product"):
                await connection.execute(
                    f"UPDATE {kind} SET {kind}_name = %s WHERE {kind}_id = %s",
                    [f"turn {turn}", BY_SQL],
                )
                record.committed[kind, BY_SQL] = turn


PATHS = [
    "/brands",
    "/products?limit=3",
    "/products?q=turn",
    *(f"/brands/{number}" for number in (BY_API, BY_ADMIN, BY_SQL)),
    *(f"/products/{number}" for number in (BY_API, BY_SQL)),
]


async def read(
    session: aiohttp.ClientSession, url: str, record: Record, first: int
) -> None:
    turn = first
    while True:
        path = PATHS[turn % len(PATHS)]
        turn += 1
        floor = dict(record.committed)
        async with session.get(url + path) as answer:
            assert answer.status == 200
            record.check(path, await answer.json(), floor)


async def read_and_leave(
    session: aiohttp.ClientSession, url: str, record: Record, first: int
) -> None:
    """Disconnects at all stages of a shared query: before, during and after it."""
    turn = first
    while True:
        path = PATHS[turn % len(PATHS)]
        try:
            async with asyncio.timeout(0.001 * (turn % 9)):
                async with session.get(url + path) as answer:
                    await answer.read()
        except TimeoutError:
            pass
        turn += 1


async def hammer(site: Catalog) -> Record:
    record = Record()
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=PATIENCE) as session,
        aiohttp.ClientSession(cookie_jar=jar, timeout=PATIENCE) as editor,
    ):
        readers = [
            asyncio.create_task(ask(session, site.url, record, first))
            for ask, number in ((read, READERS), (read_and_leave, WHO_LEAVE))
            for first in range(number)
        ]
        async with asyncio.TaskGroup() as writers:
            writers.create_task(write_by_api(session, site.url, record))
            writers.create_task(write_by_admin(editor, site.url, record))
            writers.create_task(write_by_sql(site.database, record))
        for reader in readers:
            reader.cancel()
        ends = await asyncio.gather(*readers, return_exceptions=True)
    failed = [each for each in ends if not isinstance(each, asyncio.CancelledError)]
    assert failed == []
    return record


async def test_no_response_is_older_than_its_request(four_workers: Catalog) -> None:
    record = await hammer(four_workers)

    assert record.violations == []
    assert record.reads > 2000
    assert set(record.committed.values()) == {TURNS, TURNS * 4}


@pytest.mark.parametrize(
    "path", ["/brands", "/brands/1", "/brands/1/products", "/products", "/products/1"]
)
async def test_a_request_after_a_commit_shares_no_query_from_before_it(
    gated: Catalog, path: str
) -> None:
    for kind in ("brand", "product"):
        gated.execute(f"UPDATE {kind}_rows SET {kind}_name = 'old'")
    gate = await psycopg.AsyncConnection.connect(gated.database, autocommit=True)
    async with gate, aiohttp.ClientSession(gated.url, timeout=PATIENCE) as session:

        async def names() -> set[str]:
            async with session.get(path) as answer:
                return set(re.findall('_name":"(.+?)"', await answer.text()))

        await gate.execute(CLOSE_THE_GATE)
        early = asyncio.create_task(names())
        await until(gate, AT_THE_GATE, 1)
        for kind in ("brand", "product"):
            await gate.execute(f"UPDATE {kind}_rows SET {kind}_name = 'new'")
        late = [asyncio.create_task(names()) for _ in range(20)]
        # This response was requested after those, so the site has received them all.
        async with session.get("/time") as answer:
            assert answer.status == 200
        await gate.execute("SELECT pg_advisory_unlock(1)")

        assert await asyncio.gather(*late) == [{"new"}] * 20
        assert await early in ({"old"}, {"new"})


async def until(
    connection: "psycopg.AsyncConnection[Any]", question: str, number: int
) -> None:
    async with asyncio.timeout(20):
        while True:
            cursor = await connection.execute(question)
            if await cursor.fetchone() == (number,):
                return
            await asyncio.sleep(0.01)
