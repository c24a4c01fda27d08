"""Rows have distinct names, and every peer can be compared with the site."""

import json
import re

from django.test import AsyncRequestFactory

from async_api.clock import current_time as sites_time
from benchmarks.measuring.turns import SCRIPTS
from benchmarks.results.document import block
from benchmarks.servers.applications.answers import current_time
from benchmarks.servers.peers import (
    HELLO,
    PEERS,
    ROUTES,
    ROWS,
    SITE,
    STARLETTE,
    TIME,
    rows_of,
)
from benchmarks.servers.server import CHECKOUT


def test_names_and_titles_of_peers_are_unique() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    assert len({peer.title for peer in PEERS}) == len(PEERS)


def test_every_peer_is_compared_with_this_site() -> None:
    routes = {row.route for row in rows_of([], [SITE.name])}

    for peer in PEERS:
        assert routes >= {row.route for row in rows_of([], [peer.name])}


def test_routes_have_unique_names_and_existing_scripts() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert not route.script or (SCRIPTS / route.script).is_file()


def test_rows_are_chosen_by_route_and_by_peer() -> None:
    assert rows_of([], []) == ROWS
    assert [row.route for row in rows_of([], ["starlette"])] == [HELLO, TIME]
    assert [row.peer for row in rows_of(["hello"], ["site", "starlette"])] == [
        STARLETTE,
        SITE,
    ]
    assert rows_of(["orm"], ["flask"]) == ()


def test_the_document_has_every_row() -> None:
    document = (CHECKOUT / "docs" / "benchmark.md").read_text()

    tables = f"\n\n{block(document, 'benchmark')}".split("\n\n`")[1:]
    found = [
        (table.partition("`")[0], title)
        for table in tables
        for title in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    ]
    assert found == [(row.route.name, row.peer.title) for row in ROWS]


async def test_the_peers_give_the_time_as_the_site_does() -> None:
    answer = await sites_time(AsyncRequestFactory().get("/time"))

    assert json.loads(answer.content).keys() == current_time().keys()
