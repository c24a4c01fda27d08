import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import psutil
import psycopg
import pytest
from django.db import connection
from django.test import Client

from async_views.runtime.views.logins import Limit, account_subject
from tests.support.catalog.databases import manage, new_database
from tests.support.catalog.service import Response, send
from tests.support.site import SECONDS_TO_WAIT, Site

LOGIN = "/admin/login/"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"
PASSWORD = "correct horse battery staple"
MOST, MOST_OF_AN_ADDRESS, MOST_OF_AN_ACCOUNT = 10, 30, 100
OWNER = f"""
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
User.objects.create_superuser("owner", password={PASSWORD!r})
"""


@dataclass(frozen=True, slots=True)
class Admin:
    """A site behind a trusted proxy, so that requests can come from any address."""

    url: str
    database: str
    workers: list[psutil.Process]

    def log_in(
        self, username: str, password: str, address: str, accept: str = BROWSER
    ) -> Response:
        headers = {"X-Forwarded-For": address, "Accept": accept}
        page = send(self.url, "GET", LOGIN, headers=headers)
        cookie = SimpleCookie(page.headers["Set-Cookie"])["csrftoken"].value
        fields = {"username": username, "password": password}
        headers |= {
            "Cookie": f"csrftoken={cookie}",
            "X-CSRFToken": cookie,
            "Content-Type": FORM,
        }
        return send(self.url, "POST", LOGIN, urlencode(fields).encode(), headers)

    def statuses(self, attempts: int, username: str, address: str) -> list[int]:
        """The statuses of simultaneous attempts with wrong passwords."""
        with ThreadPoolExecutor(attempts) as pool:
            waits = [
                pool.submit(self.log_in, username, "wrong", address)
                for _ in range(attempts)
            ]
            return sorted(wait.result().status for wait in waits)

    def use_up(self, policy: str, subject: str, failures: int, seconds: int) -> None:
        """Counts that number of failures in this window and the next."""
        with psycopg.connect(self.database) as database:
            database.execute(
                """
                INSERT INTO login_count (policy, ends, subject, count)
                SELECT %(policy)s, to_timestamp(
                    (floor(extract(epoch FROM now()) / %(seconds)s) + n) * %(seconds)s
                ), %(subject)s, %(failures)s
                FROM generate_series(1, 2) n
                ON CONFLICT (ends, policy, subject)
                    DO UPDATE SET count = excluded.count
                """,
                {
                    "policy": policy,
                    "subject": subject,
                    "failures": failures,
                    "seconds": seconds,
                },
            )


@pytest.fixture(scope="module")
def site(migrated: str) -> Iterator[Admin]:
    with new_database(migrated) as url:
        made = manage(url, "shell", "--no-imports", "--command", OWNER)
        assert made.returncode == 0, made.stderr
        settings = {
            "WORKERS": "2",
            "LOGIN_FAILURES_OF_AN_ADDRESS": str(MOST_OF_AN_ADDRESS),
        }
        with Site(DATABASE_URL=url, **settings) as site:
            yield Admin(site.url, url, site.workers())


@pytest.fixture
def admin(site: Admin) -> Admin:
    """The site, with nothing counted yet."""
    with psycopg.connect(site.database) as database:
        database.execute("TRUNCATE login_count")
    return site


def test_simultaneous_attempts_do_not_exceed_the_limit(admin: Admin) -> None:
    pair = f"{account_subject('owner')} address 192.0.2.1"
    admin.use_up("failed logins of an account at an address", pair, MOST - 2, 300)

    statuses = admin.statuses(8, "owner", "192.0.2.1")

    # Two more, and two again if a window happens to end in between.
    assert set(statuses) == {200, 429}
    assert 2 <= statuses.count(200) <= 4


def test_a_browser_gets_the_error_in_the_form_and_a_program_in_problem_details(
    admin: Admin,
) -> None:
    pair = f"{account_subject('owner')} address 192.0.2.2"
    admin.use_up("failed logins of an account at an address", pair, MOST, 300)

    page = admin.log_in("owner", PASSWORD, "192.0.2.2")
    document = admin.log_in("owner", PASSWORD, "192.0.2.2", "application/json")

    assert page.status == document.status == 429
    assert 1 <= int(page.headers["Retry-After"]) <= 300
    assert 1 <= int(document.headers["Retry-After"]) <= 300
    text = page.body.decode()
    assert re.search(r"errornote.*Too many wrong passwords", text, re.DOTALL)
    assert 'name="password"' in text
    assert "Try again in" in document.problem["detail"]


@pytest.mark.parametrize("name", ["OWNER", "\uff4fwner", "Owner"])
def test_all_spellings_of_a_name_are_one_account(admin: Admin, name: str) -> None:
    pair = f"{account_subject('owner')} address 192.0.2.3"
    admin.use_up("failed logins of an account at an address", pair, MOST, 300)

    assert admin.log_in(name, "wrong", "192.0.2.3").status == 429


def test_an_account_that_does_not_exist_is_limited_as_well(admin: Admin) -> None:
    pair = f"{account_subject('nobody')} address 192.0.2.4"
    admin.use_up("failed logins of an account at an address", pair, MOST - 1, 300)

    # At the latest the third is refused, in case a window ends in between.
    answers = [admin.log_in("nobody", "wrong", "192.0.2.4") for _ in range(3)]

    assert (answers[0].status, answers[2].status) == (200, 429)


def test_an_address_is_limited_whichever_names_it_tries(admin: Admin) -> None:
    subject = "address 2001:db8::/64"
    admin.use_up("failed logins of an address", subject, MOST_OF_AN_ADDRESS, 300)

    assert admin.log_in("somebody", "wrong", "2001:db8::1").status == 429
    assert admin.log_in("else", "wrong", "2001:db8::ffff").status == 429
    assert admin.log_in("else", "wrong", "2001:db8:0:1::1").status == 200


def test_success_resets_the_count_of_the_account_at_the_address(admin: Admin) -> None:
    pair = f"{account_subject('owner')} address 192.0.2.5"
    admin.use_up("failed logins of an account at an address", pair, MOST - 1, 300)

    assert admin.log_in("owner", PASSWORD, "192.0.2.5").status == 302
    assert admin.log_in("owner", "wrong", "192.0.2.5").status == 200
    assert admin.log_in("owner", PASSWORD, "192.0.2.5").status == 302


def test_the_owner_is_not_locked_out_at_a_known_address(admin: Admin) -> None:
    assert admin.log_in("owner", PASSWORD, "192.0.2.6").status == 302
    account = account_subject("owner")
    admin.use_up("failed logins of an account", account, MOST_OF_AN_ACCOUNT, 3600)

    assert admin.log_in("owner", "wrong", "192.0.2.7").status == 429
    assert admin.log_in("owner", PASSWORD, "192.0.2.6").status == 302


def test_a_refused_login_computes_no_hash(admin: Admin) -> None:
    pair = f"{account_subject('owner')} address 192.0.2.8"
    admin.use_up("failed logins of an account at an address", pair, MOST, 300)

    started = sum(worker.cpu_times().user for worker in admin.workers)
    assert admin.statuses(8, "owner", "192.0.2.8") == [429] * 8
    used = sum(worker.cpu_times().user for worker in admin.workers) - started

    # A hash takes longer.
    assert used / 8 < 0.1


def test_a_name_of_a_megabyte_is_not_repeated(admin: Admin) -> None:
    page = admin.log_in("x" * 900_000, "wrong", "192.0.2.9")

    assert page.status == 200
    assert len(page.body) < 20_000


def test_an_open_session_cannot_be_used_to_guess_its_password(
    admin_client: Client,
) -> None:
    pair = f"{account_subject('admin')} address 127.0.0.1"
    limit = Limit("failed logins of an account at an address", pair, MOST, 300)
    for _ in range(MOST):
        # In this window and the next, as one may end in between.
        assert limit.window(time.time()).count()
        assert limit.window(time.time() + 300).count()
    fields = {
        "old_password": "password",
        "new_password1": PASSWORD,
        "new_password2": PASSWORD,
    }

    refused = admin_client.post("/admin/password_change/", fields)

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    connection.cursor().execute("TRUNCATE login_count")
    assert admin_client.post("/admin/password_change/", fields).status_code == 302


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose own PostgreSQL has ended since it started."""
    directory = tmp_path_factory.mktemp("postgres")
    settings = {"PREPARE_ON_START": "1", "DATABASE_SECONDS": "1"}
    with Site(EMBEDDED_POSTGRES_DIR=str(directory), **settings) as site:
        # So that the worker keeps a connection, which then breaks.
        assert Admin(site.url, "", []).log_in("admin", "wrong", "::1").status == 200
        pid = int((directory / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        psutil.Process(pid).wait(SECONDS_TO_WAIT)
        yield site


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
@pytest.mark.parametrize("session", ["", "sessionid=0123456789abcdefghijklmnopqrstuv"])
def test_a_login_without_the_database_gets_a_503(
    stopped: Site, accept: str, session: str
) -> None:
    token = "a" * 32
    headers = {
        "Accept": accept,
        "Cookie": f"csrftoken={token}; {session}",
        "X-CSRFToken": token,
        "Content-Type": FORM,
    }
    fields = {"username": "admin", "password": PASSWORD}

    answer = send(stopped.url, "POST", LOGIN, urlencode(fields).encode(), headers)

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    if accept == BROWSER:
        assert "<title>503 Service Unavailable</title>" in answer.body.decode()
    else:
        assert answer.problem["detail"] == "The database does not respond right now."
    assert "Traceback" not in stopped.output
