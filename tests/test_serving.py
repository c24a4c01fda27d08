"""The whole site under real servers: its pages, its start, its crashes and its stop."""

import collections
import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from async_views.runtime.postgres import embedded
from tests.support.site import (
    PATIENCE,
    ROOT,
    SECONDS_TO_WAIT,
    Site,
    wait_until_ended,
)
from tests.support.target import TargetServer

PAGES = [
    "/",
    "/time",
    "/healthz",
    "/readyz",
    "/requests/",
    "/requests/?url={url}/time&request_num=3",
    "/requests/async_to_sync?url={url}/time&request_num=3",
    "/requests/sync_to_async",
    "/requests/sync_to_async?sleep_time=0.01&num_calls=2&thread_sensitive=false",
    "/admin/login/",
    "/static/site.css",
]


def send(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def get(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    status, given, body = send(url, **headers)
    return status, given, body.decode()


def get_json(url: str) -> Any:
    return json.loads(get(url)[2])


@pytest.fixture(scope="module")
def asgi() -> Iterator[Site]:
    with Site(PREPARE_ON_START="1") as site:
        yield site


@pytest.fixture(scope="module")
def wsgi() -> Iterator[Site]:
    # Two workers, because a synchronous worker that probes its own site cannot respond.
    with Site(
        "-k", "sync", "async_views.wsgi", PREPARE_ON_START="1", WORKERS="2"
    ) as site:
        yield site


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("gateway", ["asgi", "wsgi"])
def test_every_page_is_served_under_both_gateways(
    request: pytest.FixtureRequest, gateway: str, page: str
) -> None:
    site: Site = request.getfixturevalue(gateway)

    status, headers, _ = get(site.url + page.format(url=site.url))

    assert status == 200
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("gateway", ["asgi", "wsgi"])
@pytest.mark.parametrize("page", ["/requests/", "/admin/login/"])
def test_the_files_of_a_page_are_compressed_and_immutable(
    request: pytest.FixtureRequest, gateway: str, page: str
) -> None:
    site: Site = request.getfixturevalue(gateway)
    urls = re.findall(r'(?:href|src)="(/static/.+?)"', get(site.url + page)[2])

    assert {url.rpartition(".")[2] for url in urls} >= {"css", "js"}
    for url in urls:
        status, headers, _ = send(f"{site.url}{url}", Accept_Encoding="gzip")
        headers = {name.lower(): value for name, value in headers.items()}
        assert status == 200
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["content-encoding"] == "gzip"
        tag = headers["etag"]
        status, _, body = send(
            site.url + url, Accept_Encoding="gzip", If_None_Match=tag
        )
        assert (status, body) == (304, b"")


@pytest.mark.parametrize("path", ["/requests/", "/requests/async_to_sync"])
def test_an_asgi_worker_has_one_event_loop_for_all_requests(
    asgi: Site, target: TargetServer, path: str
) -> None:
    servers = [
        get_json(f"{asgi.url}{path}?url={target.url}/ok&request_num=1&format=json")[
            "server"
        ]
        for _ in range(5)
    ]

    assert {server["gateway"] for server in servers} == {"ASGI"}
    assert len({server["event_loop_id"] for server in servers}) == 1


@pytest.mark.parametrize("path", ["/requests/", "/requests/async_to_sync"])
def test_under_wsgi_each_request_has_an_event_loop_of_its_own(
    wsgi: Site, target: TargetServer, path: str
) -> None:
    servers = [
        get_json(f"{wsgi.url}{path}?url={target.url}/ok&request_num=1&format=json")[
            "server"
        ]
        for _ in range(5)
    ]

    assert {server["gateway"] for server in servers} == {"WSGI"}
    assert len({server["event_loop_id"] for server in servers}) == 5


def test_the_page_shows_its_gateway_and_event_loop(asgi: Site) -> None:
    loop = get_json(f"{asgi.url}/requests/sync_to_async?sleep_time=0&format=json")

    page = get(f"{asgi.url}/requests/")[2]

    assert f"Served under ASGI, on event loop {loop['server']['event_loop_id']}" in page


@pytest.mark.parametrize("gateway", ["asgi", "wsgi"])
@pytest.mark.parametrize(
    "url",
    [
        "{site}/time",
        "http://localhost:{port}/time",
        "http://[::ffff:127.0.0.1]:{port}/time",
        "{target}/redirect?to={site}/time",
    ],
)
def test_a_probe_of_the_site_itself_is_not_called_trustworthy(
    request: pytest.FixtureRequest, target: TargetServer, gateway: str, url: str
) -> None:
    site: Site = request.getfixturevalue(gateway)
    probed = quote(url.format(site=site.url, port=site.port, target=target.url))

    for view in ("", "async_to_sync"):
        answer = get_json(
            # Short, because under WSGI this request may block the worker that it probes.
            f"{site.url}/requests/{view}?url={probed}&request_num=2&timeout=1&format=json"
        )

        assert answer["verdict"]["trusted"] is False
        assert answer["verdict"]["reasons"][0].startswith("The target is this site")


def test_a_probe_of_another_server_on_the_machine_is_not_one_of_the_site(
    asgi: Site, target: TargetServer
) -> None:
    answer = get_json(f"{asgi.url}/requests/?url={target.url}/ok&format=json")

    shown = " ".join([*answer["verdict"]["reasons"], *answer["verdict"]["notes"]])
    assert "The target runs on this machine" in shown
    assert "this site itself" not in shown


def test_behind_proxies_that_speak_tls_a_page_is_not_redirected_again() -> None:
    with Site(HTTPS="1", DEBUG="1", PREPARE_ON_START="0") as site:
        answers = []
        for fields in (
            [],
            ["X-Forwarded-Proto: https,http"],
            ["X-Forwarded-Proto: https", "X-Forwarded-Proto: HTTPS "],
            ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https, http"],
        ):
            with closing(HTTPConnection("127.0.0.1", site.port)) as connection:
                connection.putrequest("GET", "/time", skip_host=True)
                connection.putheader("Host", "localhost:80")
                for field in fields:
                    connection.putheader(*field.split(": ", 1))
                connection.endheaders()
                answer = connection.getresponse()
                answers.append((answer.status, answer.getheader("location")))

    redirected = (301, "https://localhost/time")
    assert answers == [redirected, (200, None), (200, None), redirected]


@pytest.mark.parametrize("gateway", ["asgi", "wsgi"])
@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:443", "https://localhost", 200),
        ("localhost", "https://localhost:443", 200),
        ("localhost:8443", "https://localhost", 403),
    ],
)
def test_a_form_may_come_from_the_default_port(
    request: pytest.FixtureRequest, gateway: str, host: str, origin: str, status: int
) -> None:
    site: Site = request.getfixturevalue(gateway)
    behind_tls = {"Host": host, "X-Forwarded-Proto": "https"}
    _, fields, page = get(f"{site.url}/admin/login/", **behind_tls)
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    cookie = {name.lower(): value for name, value in fields.items()}["set-cookie"]

    login = urllib.request.Request(
        f"{site.url}/admin/login/",
        data=f"csrfmiddlewaretoken={token}&username=a&password=b".encode(),
        headers={**behind_tls, "Origin": origin, "Cookie": cookie.partition(";")[0]},
    )
    try:
        with urllib.request.urlopen(login, timeout=60) as answer:
            given = answer.status
    except urllib.error.HTTPError as error:
        with error:
            given = error.code

    assert given == status


def test_a_body_over_the_limit_is_refused_and_a_smaller_one_is_not(asgi: Site) -> None:
    def post(path: str, size: int) -> int:
        request = urllib.request.Request(
            asgi.url + path, data=b"a" * size, method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=60)
        with error.value as answer:
            return answer.code

    assert post("/time", 1024**2 + 1) == 413
    assert post("/time", 1024**2) == 405
    assert post("/admin/login/", 1024**2 + 1) == 403


def test_an_unknown_websocket_path_is_refused(asgi: Site) -> None:
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(asgi.url.replace("http", "ws") + "/nowhere"),
    ):
        pass

    assert refusal.value.response.status_code == 404
    assert "default-src 'none'" in refusal.value.response.headers.get(
        "content-security-policy", ""
    )
    assert "Traceback" not in asgi.output


def test_a_slow_client_is_disconnected() -> None:
    with (
        Site(RECEIVE_SECONDS="0.3") as site,
        socket.create_connection(("127.0.0.1", site.port), timeout=60) as client,
    ):
        client.sendall(b"GET /time HTTP/1.1\r\nHost: local")
        answer = client.recv(100)

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_each_request_is_one_readable_line_in_the_log(asgi: Site) -> None:
    get(f"{asgi.url}/time?mark=%0a1")
    asgi.wait_until(lambda site: "mark=%0a1" in site.output)

    [line] = [line for line in asgi.lines if "mark=%0a1" in line]
    assert '127.0.0.1 "GET /time?mark=%0a1 HTTP/1.1" 400 ' in line
    assert line.endswith(" ms\n")


def test_a_killed_worker_is_replaced_while_the_other_one_serves(
    target: TargetServer,
) -> None:
    with Site(WORKERS="2") as site, concurrent.futures.ThreadPoolExecutor() as pool:
        probing = pool.submit(
            get, f"{site.url}/requests/?url={target.url}/wait&request_num=3"
        )
        target.wait_until(lambda server: len(server.asked) == 3)
        [busy] = [
            worker
            for worker in site.workers()
            if any(
                connection.raddr and connection.raddr.port == target.port
                for connection in worker.net_connections("tcp")
            )
        ]

        busy.kill()
        target.wait_until(lambda server: server.open_connections == 0)

        assert get(f"{site.url}/time")[0] == 200
        assert probing.exception(SECONDS_TO_WAIT)
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while len(site.workers()) < 2 and time.monotonic() < deadline:
            assert get(f"{site.url}/time")[0] == 200
        assert len(site.workers()) == 2


class SteadyClients:
    """Clients that send requests until closed, on one connection or on new ones."""

    def __init__(self, port: int, pauses: list[float]) -> None:
        self.port = port
        self.answered_by: collections.Counter[bytes] = collections.Counter()
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._keep, args=(p,)) for p in pauses]
        self._threads.append(threading.Thread(target=self._reconnect))
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _keep(self, pause: float) -> None:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            while not self._stop.wait(pause):
                self._send(connection)

    def _reconnect(self) -> None:
        while not self._stop.wait(0.005):
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as one:
                self._send(one)

    def _send(self, connection: HTTPConnection) -> None:
        try:
            connection.request("GET", "/")
            self.answered_by[connection.getresponse().read()] += 1
        except (OSError, HTTPException) as error:
            self.failures.append(repr(error))
            connection.close()


def test_a_reload_loses_no_request() -> None:
    with (
        Site("tests.support.plain:application", WORKERS="2") as site,
        closing(SteadyClients(site.port, [0.001, 0.01, 0.1, 0.5])) as clients,
    ):
        site.wait_until(lambda site: site.output.count("startup complete") == 2)
        first = {worker.pid for worker in site.workers()}
        for reload in range(1, 5):
            old = site.workers()
            site.master.send_signal(signal.SIGHUP)
            _, alive = psutil.wait_procs(old, SECONDS_TO_WAIT)
            assert not alive
            # The old workers have stopped accepting, so the new ones accept.
            assert site.output.count("startup complete") == 2 + 2 * reload
        last = {str(worker.pid).encode() for worker in site.workers()}
        answered = clients.answered_by.copy()
        while not last & (clients.answered_by - answered).keys():
            assert not clients.failures
        clients.close()
        site.terminate()
        assert site.wait() == 0

    assert clients.failures == []
    assert len(clients.answered_by) > len(first) + len(last)
    assert "rror" not in site.output


def test_a_reload_whose_workers_do_not_start_leaves_the_old_ones_serving(
    tmp_path: Path,
) -> None:
    wrong = tmp_path / "wrong"
    with Site("tests.support.plain:application", PLAIN_FAILS=str(wrong)) as site:
        site.wait_until(lambda site: "startup complete" in site.output)
        [old] = site.workers()

        wrong.touch()
        site.master.send_signal(signal.SIGHUP)
        site.wait_until(lambda site: "exited with code 1" in site.output)

        assert get(site.url)[2] == str(old.pid)


def test_a_running_probe_completes_when_the_site_is_stopped(
    target: TargetServer,
) -> None:
    with Site() as site, concurrent.futures.ThreadPoolExecutor() as pool:
        probing = pool.submit(
            get, f"{site.url}/requests/?url={target.url}/wait&request_num=3&format=json"
        )
        target.wait_until(lambda server: len(server.asked) == 3)

        site.terminate()
        wait_until_refused(site.port)
        target.release()
        status, _, body = probing.result(10)

        assert status == 200
        assert json.loads(body)["summary"]["answered"] == 3
        assert site.wait(10 * PATIENCE) == 0
    assert "Traceback" not in site.output


def test_a_request_that_exceeds_the_graceful_timeout_gets_a_503(
    target: TargetServer,
) -> None:
    with (
        Site(GRACEFUL_SECONDS="1") as site,
        socket.create_connection(("127.0.0.1", site.port), timeout=60) as browser,
    ):
        query = f"url={target.url}/wait&request_num=3"
        probing = f"GET /requests/?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        pipelined = "GET /time HTTP/1.1\r\nHost: localhost\r\n\r\n"
        browser.sendall((probing + pipelined).encode())
        target.wait_until(lambda server: len(server.asked) == 3)

        site.terminate()
        answer = b"".join(iter(lambda: browser.recv(65536), b"")).decode()
        status = site.wait(10 * PATIENCE)

    assert answer.startswith("HTTP/1.1 503 ")
    assert "retry-after: 5" in answer
    assert answer.count("HTTP/1.1") == 1
    assert status == 0
    assert "Traceback" not in site.output


def wait_until_refused(port: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
    raise TimeoutError(f"port {port} still accepts connections")


@pytest.mark.parametrize("path", ["/requests/", "/requests/async_to_sync"])
def test_leaving_the_page_cancels_its_requests(
    asgi: Site, target: TargetServer, path: str
) -> None:
    with socket.create_connection(("127.0.0.1", asgi.port)) as browser:
        query = f"url={target.url}/wait&request_num=50&concurrency=10"
        browser.sendall(
            f"GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        target.wait_until(lambda server: len(server.asked) == 10)

    target.wait_until(lambda server: server.open_connections == 0)
    assert len(target.asked) == 10


def test_a_probe_over_the_limit_gets_a_429_with_retry_after(
    target: TargetServer,
) -> None:
    with (
        Site(PROBE_LIMIT="2") as site,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        url = f"{site.url}/requests/?url={target.url}/wait&request_num=1&format=json"
        running = [pool.submit(get, url) for _ in range(2)]
        target.wait_until(lambda server: len(server.asked) == 2)

        status, headers, body = get(url)
        target.release()

        assert status == 429
        assert int(headers["retry-after"]) > 0
        assert json.loads(body)["status"] == 429
        assert [each.result()[0] for each in running] == [200, 200]
        assert get(url)[0] == 200


def test_ctrl_c_stops_everything_in_five_seconds_and_keeps_the_data(
    tmp_path: Path, target: TargetServer
) -> None:
    with (
        Site(EMBEDDED_POSTGRES_DIR=str(tmp_path), PREPARE_ON_START="1") as first,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        family = first.master.children(recursive=True)
        hanging = pool.submit(
            get, f"{first.url}/requests/?url={target.url}/wait&request_num=5"
        )
        target.wait_until(lambda server: len(server.asked) == 5)

        first.interrupt()
        first.wait(5 * PATIENCE)

        assert not [process for process in family if process.is_running()]
        assert not (tmp_path / "data" / "postmaster.pid").exists()
        status, headers, _ = hanging.result(10)
        assert status == 503
        assert int(headers["retry-after"]) > 0
    assert "Traceback" not in first.output
    assert "user admin, password " in first.output
    assert "example data" not in first.output

    with Site(EMBEDDED_POSTGRES_DIR=str(tmp_path), PREPARE_ON_START="1") as second:
        assert get(f"{second.url}/readyz")[0] == 200
    assert "password" not in second.output
    assert "migrated" not in second.output


def test_an_outage_of_the_database_is_reported_and_survived(tmp_path: Path) -> None:
    with Site(
        EMBEDDED_POSTGRES_DIR=str(tmp_path), DATABASE_SECONDS="1", PREPARE_ON_START="1"
    ) as site:
        assert get(f"{site.url}/readyz")[0] == 200
        postmaster = int((tmp_path / "data" / "postmaster.pid").read_text().split()[0])

        os.kill(postmaster, signal.SIGQUIT)
        psutil.Process(postmaster).wait(SECONDS_TO_WAIT)

        status, headers, _ = get(f"{site.url}/readyz")
        assert status == 503
        assert int(headers["retry-after"]) > 0
        assert get(f"{site.url}/healthz")[0] == 200
        assert get(f"{site.url}/")[0] == 200

        with embedded.hold(tmp_path):
            deadline = time.monotonic() + 5
            while get(f"{site.url}/readyz")[0] != 200:
                assert time.monotonic() < deadline


def test_a_worker_that_dies_while_the_database_is_down_leaves_the_others_serving(
    tmp_path: Path,
) -> None:
    with Site(
        EMBEDDED_POSTGRES_DIR=str(tmp_path),
        DATABASE_SECONDS="0.5",
        PREPARE_ON_START="1",
        WORKERS="2",
    ) as site:
        site.wait_until(lambda site: site.output.count("startup complete") == 2)
        postmaster = int((tmp_path / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        psutil.Process(postmaster).wait(SECONDS_TO_WAIT)

        site.workers()[0].kill()
        # Neither its replacement nor the next one can start.
        site.wait_until(lambda site: site.output.count("did not open") >= 2)

        assert get(f"{site.url}/time")[0] == 200
        with embedded.hold(tmp_path):
            deadline = time.monotonic() + SECONDS_TO_WAIT
            while len(site.workers()) < 2 or get(f"{site.url}/readyz")[0] != 200:
                assert time.monotonic() < deadline


def test_workers_do_not_outlive_a_killed_master(tmp_path: Path) -> None:
    with Site(EMBEDDED_POSTGRES_DIR=str(tmp_path), WORKERS="2") as site:
        workers = site.workers()

        site.master.kill()

        wait_until_ended(workers)
    # Takes over the database that the master left running, and stops it.
    embedded.hold(tmp_path).release()
    assert not (tmp_path / "data" / "postmaster.pid").exists()


def test_an_experiment_over_the_limit_gets_a_429_and_other_pages_are_served(
    target: TargetServer,
) -> None:
    with (
        Site(BRIDGE_LIMIT="2", DEBUG="1", PREPARE_ON_START="0") as site,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        query = "sleep_time=3&num_calls=20&thread_sensitive=false&format=json"
        url = f"{site.url}/requests/sync_to_async?{query}"
        running = [pool.submit(get, url) for _ in range(3)]
        first = next(concurrent.futures.as_completed(running)).result()

        assert first[0] == 429
        assert int(first[1]["retry-after"]) > 0
        began = time.monotonic()
        for path in ("/time", "/static/site.css", "/nowhere"):
            get(site.url + path)
        assert time.monotonic() - began < 3 * PATIENCE
        site.interrupt()
        site.wait(5 * PATIENCE)
        assert {each.result()[0] for each in running} == {429, 503}


def test_a_start_without_a_database_ends_with_a_reason(unused_port: Any) -> None:
    site = Site(DATABASE_URL=f"postgresql://me@127.0.0.1:{unused_port()}/nothing")

    assert site.wait() != 0
    assert "The resource 'database' did not open: OperationalError" in site.output
    assert "Connection refused" in site.output
    assert "Traceback" not in site.output


def test_a_database_that_cannot_be_prepared_is_reported_in_one_sentence(
    unused_port: Any,
) -> None:
    site = Site(
        DATABASE_URL=f"postgresql://me@127.0.0.1:{unused_port()}/nothing",
        PREPARE_ON_START="1",
    )

    assert site.wait() == 1
    assert "DATABASE_URL cannot be used: connection" in site.output
    assert "Traceback" not in site.output


def test_a_host_that_is_not_this_machine_is_reported_in_one_sentence() -> None:
    site = Site(HOST="198.51.100.7")

    assert site.wait() == 1
    assert "HOST 198.51.100.7 cannot be used (cannot assign" in site.output
    assert "Traceback" not in site.output


def test_the_first_link_of_the_readme_works_on_the_site(asgi: Site) -> None:
    readme = (ROOT / "README.md").read_text()
    link = re.findall(r"<(http://127\.0\.0\.1:8000\S+)>", readme)[0]

    status, _, page = get(link.replace("http://127.0.0.1:8000", asgi.url))

    assert status == 200
    assert "50 sent: 50 answered 2xx, 10 at a time" in " ".join(page.split())


def test_a_port_that_is_in_use_is_reported_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site = Site(PORT=str(port))

        assert site.wait() == 1
    assert site.output.endswith(
        f"PORT {port} on 127.0.0.1 cannot be used (address already in use): "
        "choose another, such as PORT=8001.\n"
    )


@pytest.mark.parametrize("program", [["manage.py", "check"], ["-m", "gunicorn"]])
def test_an_unreadable_setting_stops_every_program_with_one_sentence(
    program: list[str],
) -> None:
    done = subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        env=os.environ | {"WORKERS": "many"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr == (
        "WORKERS is 'many': it should be a whole number from 1 to 256.\n"
    )


def test_the_development_server_works() -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "async_views.settings",
        "DEBUG": "1",
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if "Quit the server" in line:
                break
        try:
            assert get(f"http://127.0.0.1:{port}/time")[0] == 200
            assert get(f"http://127.0.0.1:{port}/static/site.css")[0] == 200
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
