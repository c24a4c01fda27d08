"""Rows that are inserted together: each once, whatever happens to the others."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
import pytest
from pytest_django import Settings

from async_views.runtime.handler.asgi_handler import Handler
from async_views.runtime.postgres import database
from async_views.runtime.postgres.database import Connection
from async_views.runtime.waiting.coalesce import Unanswered
from catalog.documents.collections import BRANDS, PRODUCTS
from catalog.writing.batched_inserts import BatchedInserts
from catalog.writing.rows import NewRow
from tests.support.catalog.service import JSON, Catalog, Response
from tests.support.exchanges import Exchange

MANY = 40


@pytest.fixture
async def inserts(transactional_db: None) -> AsyncIterator[BatchedInserts]:
    async with database.pool() as pool:
        yield BatchedInserts(pool.connection)


async def insert_brands(inserts: BatchedInserts, *names: str) -> list[NewRow]:
    """Inserts them at the same time."""
    made = await asyncio.gather(
        *(inserts.insert(BRANDS, {"name": name}) for name in names)
    )
    assert all(made)
    return [each for each in made if each]


async def query(statement: LiteralString) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(
        **database.parameters()
    ) as connection:
        return await (await connection.execute(statement)).fetchall()


async def test_rows_that_wait_together_share_a_statement(
    inserts: BatchedInserts,
) -> None:
    names = [f"brand {number}" for number in range(MANY)]

    made = await insert_brands(inserts, *names)

    assert await query("SELECT count(DISTINCT xmin::text) FROM brand") == [(1,)]
    brands = dict(await query("SELECT brand_id, brand_name FROM brand"))
    assert [brands[each.id] for each in made] == names
    assert [json.loads(each.representation.body) for each in made] == [
        {"brand_id": each.id, "brand_name": name}
        for each, name in zip(made, names, strict=True)
    ]


async def test_two_inserts_of_equal_columns_are_two_rows(
    inserts: BatchedInserts,
) -> None:
    first, second = await insert_brands(inserts, "Acme", "Acme")

    assert first.id != second.id
    assert await query("SELECT brand_name FROM brand") == [("Acme",), ("Acme",)]


async def test_if_a_row_is_refused_none_of_its_batch_is_inserted(
    inserts: BatchedInserts,
) -> None:
    [acme] = await insert_brands(inserts, "Acme")
    brand_ids = [acme.id, acme.id + 1, acme.id]

    made = await asyncio.gather(
        *(
            inserts.insert(PRODUCTS, {"name": "A hammer", "brand_id": brand_id})
            for brand_id in brand_ids
        )
    )

    assert made == [None, None, None]
    assert await query("SELECT 1 FROM product") == []


async def test_a_batch_does_not_wait_long_for_a_lock(
    inserts: BatchedInserts,
) -> None:
    [acme] = await insert_brands(inserts, "Acme")
    parameters = database.parameters()
    async with (
        await psycopg.AsyncConnection.connect(**parameters) as holder,
        holder.transaction(),
    ):
        await holder.execute("SELECT 1 FROM brand FOR UPDATE")

        row = {"name": "A hammer", "brand_id": acme.id}
        async with asyncio.timeout(5):
            made = await inserts.insert(PRODUCTS, row)

    assert made is None


@pytest.mark.parametrize("how", ["ended by the server", "lost"])
async def test_a_connection_that_fails_is_an_error_not_a_refusal(
    transactional_db: None, how: str
) -> None:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Connection]:
        parameters = database.parameters()
        async with (
            await psycopg.AsyncConnection.connect(**parameters) as failing,
            await psycopg.AsyncConnection.connect(**parameters) as other,
        ):
            if how == "lost":
                await failing.close()
            else:
                ending = "SELECT pg_terminate_backend(%s, 5000)"
                await other.execute(ending, [failing.info.backend_pid])
            yield failing

    with pytest.raises(Unanswered) as raised:
        await BatchedInserts(connect).insert(BRANDS, {"name": "Acme"})

    assert database.is_unavailable(raised.value.__cause__)


async def test_a_client_without_permission_inserts_nothing(
    inserts: BatchedInserts, settings: Settings
) -> None:
    settings.CATALOG_WRITE_ACCESS = "token"

    exchange = Exchange(
        Handler(),
        "/brands",
        method="POST",
        headers=[(b"host", b"testserver"), (b"content-type", JSON.encode())],
        state={"batched_inserts": inserts},
    )
    exchange.tell("request", body=b'{"brand_name": "Acme"}')
    answer = await exchange.next()

    assert answer["status"] == 401
    assert await query("SELECT 1 FROM brand") == []


# --- Through the site ---


def make(catalog: Catalog, brand_id: int, number: int) -> Response:
    product = {"product_name": f"hammer {number}", "brand_id": brand_id}
    return catalog.send("POST", "/products", product)


def test_many_requests_at_once_create_one_product_each(catalog: Catalog) -> None:
    catalog.insert("brand", [("Acme",)])

    with ThreadPoolExecutor(MANY) as clients:
        made = list(clients.map(lambda number: make(catalog, 1, number), range(MANY)))

    assert {each.status for each in made} == {201}
    for number, each in enumerate(made):
        found = catalog.get(each.headers["Location"])
        assert (found.body, found.etag) == (each.body, each.etag)
        assert found.json["product_name"] == f"hammer {number}"
    assert len({each.json["product_id"] for each in made}) == MANY


def test_an_unknown_brand_is_refused_and_the_others_of_the_batch_are_inserted(
    catalog: Catalog,
) -> None:
    catalog.insert("brand", [("Acme",)])
    brand_ids = [1, 77] * (MANY // 2)

    with ThreadPoolExecutor(MANY) as clients:
        made = list(clients.map(make, [catalog] * MANY, brand_ids, range(MANY)))

    assert [each.status for each in made] == [201, 400] * (MANY // 2)
    assert made[1].wrong == {"brand_id": ("77", "no brand has this ID")}
    assert catalog.rows("SELECT count(*) FROM product") == [(MANY // 2,)]


def test_a_request_that_waits_for_a_brand_does_not_delay_the_others(
    catalog: Catalog,
) -> None:
    catalog.insert("brand", [("Acme",), ("Böse",)])
    answered: list[int] = []
    with psycopg.connect(catalog.database) as holder:
        holder.execute("SELECT 1 FROM brand WHERE brand_id = 2 FOR UPDATE")
        waiting = threading.Thread(
            target=lambda: answered.append(make(catalog, 2, 0).status)
        )
        waiting.start()

        others = [make(catalog, 1, number).status for number in range(3)]
        assert answered == []
    waiting.join()

    assert others == [201] * 3
    assert answered == [201]


def test_a_key_that_is_sent_twice_creates_one_row(catalog: Catalog) -> None:
    first, second = (
        catalog.send("POST", "/brands", {"brand_name": "Acme"}, Idempotency_Key="one")
        for _ in range(2)
    )

    assert first.status == second.status == 201
    assert first.headers["Location"] == second.headers["Location"]
    assert catalog.rows("SELECT count(*) FROM brand") == [(1,)]
