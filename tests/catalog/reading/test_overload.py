"""Responses when there are too many requests, and when the database is away."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from async_views.runtime.postgres import embedded
from tests.catalog.conftest import OPEN_TO_ALL
from tests.support.catalog.databases import manage, new_database
from tests.support.catalog.service import Catalog, Response
from tests.support.site import Site

POOL_SIZE = 1
# The limit in runtime/postgres/database.py.
MAY_WAIT = POOL_SIZE * 8
DATABASE_SECONDS = 20
SECONDS_TO_RECOVER = 5


@pytest.fixture(scope="module")
def narrow(migrated: str) -> Iterator[Catalog]:
    """A site with one worker, whose pool has one connection."""
    with new_database(migrated) as database:
        with Site(
            DATABASE_URL=database,
            DATABASE_POOL_SIZE=str(POOL_SIZE),
            DATABASE_SECONDS=str(DATABASE_SECONDS),
            **OPEN_TO_ALL,
        ) as site:
            catalog = Catalog(site.url, database)
            catalog.insert("brand", [("Acme",)])
            catalog.insert("product", [("A hammer", 1)])
            yield catalog


@contextmanager
def locked(catalog: Catalog, table: str) -> Iterator[None]:
    """Queries of the table wait until the end of the block."""
    with psycopg.connect(catalog.database) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} seconds in vain"
        time.sleep(0.01)


def waiting_for_a_lock(catalog: Catalog) -> int:
    [(number,)] = catalog.rows(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return int(number)


def connections_of_the_site(catalog: Catalog) -> int:
    [(number,)] = catalog.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return int(number)


@contextmanager
def leaving(catalog: Catalog, path: str) -> Iterator[None]:
    """A client that has sent a request, and disconnects after the block."""
    host, port = catalog.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        yield


def test_a_request_is_refused_at_once_if_too_many_wait(narrow: Catalog) -> None:
    more = 12
    paths = [f"/products?limit={n}" for n in range(1, POOL_SIZE + MAY_WAIT + more + 1)]

    with ThreadPoolExecutor(len(paths)) as threads, locked(narrow, "product"):
        began = time.monotonic()
        asked = [threads.submit(narrow.get, path) for path in paths]
        answers = as_completed(asked)
        refused = [next(answers).result() for _ in range(more)]
        took = time.monotonic() - began
        still_waiting = sum(not each.done() for each in asked)

    assert {each.status for each in refused} == {503}
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refused)
    assert took < DATABASE_SECONDS / 2
    assert still_waiting == POOL_SIZE + MAY_WAIT
    assert sorted(each.result().status for each in asked) == (
        [200] * still_waiting + [503] * more
    )


def test_any_number_of_requests_for_one_document_share_one_query(
    narrow: Catalog,
) -> None:
    with ThreadPoolExecutor(100) as threads, locked(narrow, "product"):
        asked = [threads.submit(narrow.get, "/products") for _ in range(100)]
        wait_until(lambda: waiting_for_a_lock(narrow) == 1)

    assert {each.result().status for each in asked} == {200}


def test_a_client_that_disconnects_returns_its_connection(narrow: Catalog) -> None:
    with locked(narrow, "product"):
        with leaving(narrow, "/products/1"):
            wait_until(lambda: waiting_for_a_lock(narrow) == 1)
        wait_until(lambda: waiting_for_a_lock(narrow) == 0)

        other = narrow.get("/brands")

    assert other.status == 200


def test_a_client_that_disconnects_does_not_disturb_another_that_shares_its_query(
    narrow: Catalog,
) -> None:
    with ThreadPoolExecutor(1) as threads, locked(narrow, "product"):
        with leaving(narrow, "/products/1"):
            wait_until(lambda: waiting_for_a_lock(narrow) == 1)
            staying = threads.submit(narrow.get, "/products/1")
        wait_until(lambda: waiting_for_a_lock(narrow) <= 1)

    assert staying.result().status == 200


def test_thousands_of_clients_that_disconnect_leak_no_connection(
    narrow: Catalog,
) -> None:
    for turn in range(5000):
        with leaving(narrow, f"/products?limit={1 + turn % 20}"):
            pass

    wait_until(lambda: narrow.get("/products").status == 200)
    # The bus listens on a connection of its own.
    assert connections_of_the_site(narrow) <= POOL_SIZE + 1


def test_a_database_that_stops_is_503_and_works_again_soon_after(
    tmp_path: Path,
) -> None:
    url = embedded.url(tmp_path)
    with embedded.hold(tmp_path) as server:
        assert manage(url, "migrate", "--verbosity=0").returncode == 0
        with Site(
            DATABASE_URL=url,
            DATABASE_SECONDS="1",
            DATABASE_POOL_SIZE="2",
            **OPEN_TO_ALL,
        ) as site:
            catalog = Catalog(site.url, url)
            catalog.insert("brand", [("Acme",)])
            assert catalog.get("/brands").status == 200

            def load(turn: int) -> tuple[Response, float]:
                began = time.monotonic()
                path = f"/products?limit={1 + turn % 50}"
                return catalog.get(path), time.monotonic() - began

            with ThreadPoolExecutor(24) as threads:
                before = threads.map(load, range(100))
                server.release()
                during = list(threads.map(load, range(100)))
            assert {each.status for each, _ in before} <= {200, 503}
            assert {each.status for each, _ in during} == {503}
            assert all("Retry-After" in each.headers for each, _ in during)
            # The pool's timeout, and the time to send the response.
            assert max(took for _, took in during) < 1 + 3

            with embedded.hold(tmp_path):
                wait_until(
                    lambda: catalog.get("/brands").status == 200, SECONDS_TO_RECOVER
                )
                written = catalog.send("POST", "/brands", {"brand_name": "B"})
                assert (written.status, catalog.get("/brands/2").status) == (201, 200)
