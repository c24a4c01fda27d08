"""The experiments under real servers, and in Django's test client."""

import asyncio
import json
import select
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import AsyncClient

from async_api.bridges.executors import default_pool_size
from tests.async_api.bridges.tolerance import SCHEDULING_SECONDS, is_as_predicted
from tests.support.site import PATIENCE, Site

ASYNC_VIEW = "/requests/sync_to_async"
SYNC_VIEW = "/requests/async_to_sync/experiment"
SECONDS_TO_WAIT = 60


@pytest.fixture(scope="module")
def asgi() -> Iterator[Site]:
    with Site() as site:
        # A worker's first request is slower than those that are measured.
        fetch(site, sleep_time=0)
        yield site


@pytest.fixture(scope="module")
def wsgi() -> Iterator[Site]:
    with Site("-k", "sync", "async_views.wsgi") as site:
        fetch(site, sleep_time=0)
        yield site


def fetch(site: Site, path: str = ASYNC_VIEW, **query: Any) -> dict[str, Any]:
    url = f"{site.url}{path}?{urlencode(query | {'format': 'json'})}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        answered: dict[str, Any] = json.load(answer)
    return answered


def status(site: Site, **query: Any) -> int:
    try:
        fetch(site, **query)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200


def ask_at_once(
    site: Site, count: int, **query: Any
) -> tuple[float, list[dict[str, Any]]]:
    """Seconds until the last response arrived, and the responses."""
    with ThreadPoolExecutor(count) as clients:
        began = time.perf_counter()
        asked = [clients.submit(fetch, site, **query) for _ in range(count)]
        answers = [each.result() for each in asked]
        return time.perf_counter() - began, answers


@pytest.mark.parametrize("sensitive", ["true", "false"])
def test_under_asgi_requests_do_not_block_one_another(
    asgi: Site, sensitive: str
) -> None:
    query = {"sleep_time": 0.4, "num_calls": 3, "thread_sensitive": sensitive}

    seconds, answers = ask_at_once(asgi, 3, experiment="requests", **query)

    assert {answer["predicted_seconds"] for answer in answers} == {0.4}
    assert is_as_predicted(seconds, 0.4)
    if sensitive == "true":
        assert len({answer["threads"][0] for answer in answers}) == 3
        assert answers[0]["executor"] == {"kind": "request", "size": 1}


@pytest.mark.parametrize("server", ["asgi", "wsgi"])
def test_in_one_request_thread_sensitive_calls_take_turns_on_one_thread(
    server: str, request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(server)

    answer = fetch(site, sleep_time=0.2, num_calls=3)

    assert answer["predicted_seconds"] == 0.6
    assert is_as_predicted(answer["seconds"], 0.6)
    [thread] = answer["threads"]
    if server == "wsgi":
        assert answer["executor"]["kind"] == "caller"
        assert thread == "MainThread"
    else:
        assert answer["executor"]["kind"] == "request"
        assert thread.startswith("request-")


@pytest.mark.parametrize("server", ["asgi", "wsgi"])
def test_in_one_request_other_calls_run_on_a_thread_each(
    server: str, request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(server)

    answer = fetch(site, sleep_time=0.3, num_calls=3, thread_sensitive="false")

    assert answer["predicted_seconds"] == 0.3
    assert is_as_predicted(answer["seconds"], 0.3)
    assert len(answer["threads"]) == 3
    assert answer["executor"] == {"kind": "pool", "size": default_pool_size()}


def test_more_calls_than_the_pool_has_threads_run_in_batches(asgi: Site) -> None:
    calls = default_pool_size() + 1
    if calls > 20:
        pytest.skip("This machine's pool has room for all calls that may be asked for.")

    answer = fetch(asgi, sleep_time=0.3, num_calls=calls, thread_sensitive="false")

    assert answer["predicted_seconds"] == 0.6
    assert is_as_predicted(answer["seconds"], 0.6)
    assert len(answer["threads"]) == default_pool_size()


async def test_in_django_s_client_thread_sensitive_requests_block_one_another() -> None:
    client = AsyncClient()
    query = {"experiment": "requests", "sleep_time": "0.3", "num_calls": "3"}
    await client.get(ASYNC_VIEW, {"sleep_time": "0", "format": "json"})
    began = time.perf_counter()

    responses = await asyncio.gather(
        *(client.get(ASYNC_VIEW, query | {"format": "json"}) for _ in range(3))
    )

    seconds = time.perf_counter() - began
    answers = [response.json() for response in responses]
    assert {answer["predicted_seconds"] for answer in answers} == {0.9}
    assert is_as_predicted(seconds, 0.9)
    assert len({answer["threads"][0] for answer in answers}) == 1
    assert answers[0]["executor"] == {"kind": "process", "size": 1}


def test_a_synchronous_worker_handles_one_request_at_a_time(wsgi: Site) -> None:
    query = {"experiment": "requests", "sleep_time": 0.3, "num_calls": 3}

    seconds, answers = ask_at_once(wsgi, 3, **query)

    assert {answer["predicted_seconds"] for answer in answers} == {0.9}
    assert is_as_predicted(seconds, 0.9)


def test_a_worker_with_threads_handles_requests_concurrently_under_wsgi() -> None:
    query = {"experiment": "requests", "sleep_time": 0.4, "num_calls": 3}
    with Site("-k", "gthread", "--threads", "3", "async_views.wsgi") as site:
        fetch(site, sleep_time=0)

        seconds, answers = ask_at_once(site, 3, **query)

    assert {answer["predicted_seconds"] for answer in answers} == {0.4}
    assert is_as_predicted(seconds, 0.4)


@pytest.mark.parametrize(
    ("experiment", "seconds"), [("async_to_sync", 0.6), ("async_to_sync_once", 0.2)]
)
def test_under_asgi_a_synchronous_view_crosses_to_the_server_s_own_loop(
    asgi: Site, experiment: str, seconds: float
) -> None:
    served = fetch(asgi, sleep_time=0)["server"]["event_loop_id"]

    answer = fetch(asgi, SYNC_VIEW, experiment=experiment, sleep_time=0.2, num_calls=3)

    assert answer["predicted_seconds"] == seconds
    assert is_as_predicted(answer["seconds"], seconds)
    assert answer["event_loops"] == [served]
    assert any(thread.startswith("request-") for thread in answer["threads"])


@pytest.mark.parametrize(
    ("experiment", "seconds", "loops"),
    [("async_to_sync", 0.6, 3), ("async_to_sync_once", 0.2, 1)],
)
def test_under_wsgi_a_synchronous_view_crosses_to_a_new_loop_each_time(
    wsgi: Site, experiment: str, seconds: float, loops: int
) -> None:
    answer = fetch(wsgi, SYNC_VIEW, experiment=experiment, sleep_time=0.2, num_calls=3)

    assert answer["predicted_seconds"] == seconds
    assert is_as_predicted(answer["seconds"], seconds)
    assert len(answer["event_loops"]) == loops
    # The view's thread, and one for each loop.
    assert len(answer["threads"]) == 1 + loops


def test_the_site_responds_while_an_experiment_blocks_its_own_loop(asgi: Site) -> None:
    with ThreadPoolExecutor(1) as client:
        blocked = client.submit(
            fetch, asgi, experiment="blocking", sleep_time=0.5, num_calls=2
        )
        slowest = 0.0
        while not blocked.done():
            began = time.perf_counter()
            urllib.request.urlopen(f"{asgi.url}/healthz", timeout=60).close()
            slowest = max(slowest, time.perf_counter() - began)

    assert blocked.result()["lag"]["worst"] > 700_000
    assert slowest < SCHEDULING_SECONDS


def test_experiments_have_a_bounded_number_of_threads(asgi: Site) -> None:
    [worker] = asgi.workers()
    query: dict[str, Any] = {
        "sleep_time": 0.2,
        "num_calls": 20,
        "thread_sensitive": "false",
    }
    fetch(asgi, **query)
    before = worker.num_threads()

    with ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(fetch, asgi, **query) for _ in range(4)]
        most = 0
        while not all(each.done() for each in asked):
            most = max(most, worker.num_threads())

    assert [each.result()["num_calls"] for each in asked] == [20] * 4
    assert most <= before + 4 * default_pool_size()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (ASYNC_VIEW, {"sleep_time": 10, "num_calls": 6}),
        (ASYNC_VIEW, {"sleep_time": 10, "num_calls": 6, "thread_sensitive": "false"}),
        (ASYNC_VIEW, {"experiment": "blocking", "sleep_time": 10, "num_calls": 6}),
        (SYNC_VIEW, {"experiment": "async_to_sync", "sleep_time": 10, "num_calls": 6}),
    ],
)
def test_closing_the_tab_ends_the_experiment_and_frees_its_place(
    path: str, query: dict[str, Any]
) -> None:
    with Site(BRIDGE_LIMIT="1", REQUEST_THREADS="1") as site:
        tab = opened_tab(site, f"{path}?{urlencode(query)}")

        tab.close()
        closed = time.monotonic()
        wait_for_status(site, 200)

        # The only thread is free too, although a call would sleep on it for ten seconds.
        fetch(site, sleep_time=0, num_calls=1)
        assert time.monotonic() - closed < 5 * PATIENCE


def wait_for_status(site: Site, wanted: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    query = {"experiment": "gather", "sleep_time": 0, "num_calls": 1}
    while status(site, **query) != wanted:
        assert time.monotonic() < deadline


def opened_tab(site: Site, path: str) -> socket.socket:
    """A connection on which an experiment runs, in the only free place.

    The check whether it runs takes that place for a moment, and may have taken it first.
    """
    while True:
        tab = socket.create_connection(("127.0.0.1", site.port))
        tab.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        while not select.select([tab], [], [], 0)[0]:
            if status(site, experiment="gather", sleep_time=0) == 429:
                return tab
        tab.close()
