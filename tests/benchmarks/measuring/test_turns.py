"""Peers give the same responses, and a turn sends the requests of its route."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from urllib.request import Request, urlopen

import psycopg
import pytest

from benchmarks.measuring.turns import take_turn, wrk_options
from benchmarks.servers.database import Database
from benchmarks.servers.peers import (
    BRANDS,
    FASTAPI_ASYNCPG,
    INSERT,
    PAGE_1,
    PAGE_10_000,
    PRODUCT,
    PRODUCT_ALONE,
    SITE,
    STARLETTE_ASYNCPG,
    UNCHANGED,
    Peer,
    Route,
    Row,
    rows_of,
)
from benchmarks.servers.server import Serving, started
from tests.support.target import TargetServer

CATALOG_PEERS = (STARLETTE_ASYNCPG, FASTAPI_ASYNCPG, SITE)
Servers = Mapping[Peer, Serving]

needs_wrk = pytest.mark.skipif(
    shutil.which("wrk") is None and not os.environ.get("CI"),
    reason="wrk is missing: install it, for example with: apt-get install wrk",
)


@pytest.fixture(scope="module")
def servers(database: Database) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield {
            peer: stack.enter_context(started(peer.server, DATABASE_URL=database.url))
            for peer in CATALOG_PEERS
        }


def rows(route: Route, *peers: Peer) -> Iterator[Row]:
    for row in rows_of([route.name], []):
        if row.peer in peers:
            yield row


def address(servers: Servers, route: Route, peer: Peer) -> str:
    [row] = rows(route, peer)
    return servers[peer].url + row.path


def get(url: str, **headers: str) -> tuple[int, object]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urlopen(Request(url, headers=named)) as response:
        return response.status, json.loads(response.read())


def test_all_list_the_same_brands(servers: Servers) -> None:
    listed = [get(address(servers, BRANDS, peer)) for peer in CATALOG_PEERS]

    assert listed[0] == listed[1] == listed[2]
    status, brands = listed[0]
    assert status == 200
    assert isinstance(brands, list) and len(brands) == 100


@pytest.mark.parametrize("number", [1, 1000])
def test_all_show_the_same_product(servers: Servers, number: int) -> None:
    shown = [
        get(f"{address(servers, PRODUCT, peer)}{number}") for peer in CATALOG_PEERS
    ]

    assert shown[0] == shown[1] == shown[2]
    status, product = shown[0]
    assert status == 200
    assert isinstance(product, dict) and product["product_id"] == number


@pytest.mark.parametrize("peer", CATALOG_PEERS, ids=lambda peer: peer.name)
def test_all_create_a_product_from_the_same_body(
    servers: Servers, database: Database, peer: Peer
) -> None:
    body = b'{"product_name": "A saw", "brand_id": 7}'
    request = Request(
        address(servers, INSERT, peer), body, {"Content-Type": "application/json"}
    )

    with urlopen(request) as response:
        assert (response.status, response.read()) == (201, b"")

    assert made(database) == [("A saw", 7)]
    database.restore()


def test_the_pages_are_the_first_and_the_10_000th(servers: Servers) -> None:
    _, first = get(address(servers, PAGE_1, SITE))
    _, far = get(address(servers, PAGE_10_000, SITE))

    assert numbers(first) == list(range(1, 11))
    assert numbers(far) == list(range(99_991, 100_001))


def test_a_conditional_route_sends_the_current_etag_of_the_site(
    servers: Servers,
) -> None:
    [option] = wrk_options(UNCHANGED, address(servers, UNCHANGED, SITE))

    name, value = option.removeprefix("--header=").split(": ")
    with pytest.raises(OSError, match="304"):
        get(address(servers, UNCHANGED, SITE), **{name: value})


@needs_wrk
@pytest.mark.parametrize("peer", CATALOG_PEERS, ids=lambda peer: peer.name)
def test_a_turn_of_inserts_succeeds_costs_cpu_and_leaves_no_products(
    servers: Servers, database: Database, peer: Peer
) -> None:
    [row] = rows(INSERT, peer)

    # Each insert waits for the disk, which takes long on a busy machine.
    turn = take_turn(row, servers[peer], database, seconds=3)

    assert turn.errors == 0
    assert turn.cpu > 0
    assert turn.postgres_cpu > 0
    assert made(database) == []


@needs_wrk
def test_random_products_are_of_the_thousand_and_in_the_same_order_each_turn(
    target: TargetServer, servers: Servers, database: Database
) -> None:
    # With several connections, requests may arrive in another order.
    [row] = rows(PRODUCT_ALONE, SITE)
    server = Serving(servers[SITE].process, target.url)

    paths = []
    for _ in range(2):
        target.asked.clear()
        take_turn(row, server, database, seconds=1)
        paths.append([each.path for each in target.asked[:200]])

    assert paths[0] == paths[1]
    assert len(set(paths[0])) > 100
    for path in paths[0]:
        [product] = re.findall(r"^/products/(\d+)$", path)
        assert 1 <= int(product) <= 1000


@needs_wrk
def test_a_turn_uses_the_connections_of_its_route(
    target: TargetServer, servers: Servers, database: Database
) -> None:
    alone = Row(PAGE_1, SITE, "/ok")

    take_turn(alone, Serving(servers[SITE].process, target.url), database, seconds=1)

    tried_before = 1  # wrk first opens a connection without sending anything
    assert target.connections == tried_before + 1


def made(database: Database) -> list[tuple[object, ...]]:
    """The products that do not belong to the example data."""
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT product_name, brand_id FROM product WHERE product_id > %s",
            [database.products],
        ).fetchall()


def numbers(products: object) -> list[int]:
    assert isinstance(products, list)
    return [product["product_id"] for product in products]
