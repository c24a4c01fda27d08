"""The page shows the known number, and says when it is not live."""

import re
import uuid

import pytest
from django.test import AsyncClient, Client

from async_api.online import lease_table
from async_api.online.processes import this_process
from async_views.runtime.postgres import database
from async_views.runtime.postgres.database import Connection


def numbers(page: str) -> list[str]:
    return re.findall(r"data-online-count>(.*?)<", page)


@pytest.mark.parametrize("path", ["/counter/", "/"])
async def test_the_page_has_the_number_without_scripts(
    connection: Connection, path: str
) -> None:
    await lease_table.write(connection, uuid.uuid4(), this_process(), 1234, 3600)

    page = (await AsyncClient().get(path)).content.decode()

    assert numbers(page) == ["1234"]
    assert "Not live: showing the number from when this page was loaded." in page
    assert 'role="status"' in page


@pytest.mark.django_db(transaction=True)
def test_under_wsgi_the_page_says_that_it_is_never_live() -> None:
    page = Client().get("/counter/").content.decode()

    assert "Served under WSGI" in page
    assert "Under WSGI the number is not live" in page


async def test_the_page_says_that_users_are_connections(connection: Connection) -> None:
    page = (await AsyncClient().get("/counter/")).content.decode()

    assert "a user is an open connection" in page


async def test_the_path_of_the_socket_redirects_browsers_to_the_page() -> None:
    response = await AsyncClient().get("/counter")

    assert (response.status_code, response["Location"]) == (301, "/counter/")


async def test_only_reading_is_allowed(connection: Connection) -> None:
    assert (await AsyncClient().post("/counter/")).status_code == 405
    assert (await AsyncClient().head("/counter/")).status_code == 200


async def test_the_script_s_timeout_exceeds_the_server_s_silence(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("async_api.online.views.REPEAT_SECONDS", 7)

    page = (await AsyncClient().get("/counter/")).content.decode()

    assert 'data-silence-seconds="14"' in page


@pytest.mark.usefixtures("django_db_setup")
async def test_without_a_database_the_page_is_503_and_the_start_page_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nowhere = database.parameters() | {"host": "127.0.0.1", "port": 1}
    monkeypatch.setattr(database, "parameters", lambda: nowhere)

    counter = await AsyncClient().get("/counter/")
    home = await AsyncClient().get("/")

    assert counter.status_code == 503
    assert int(counter["Retry-After"]) > 0
    assert home.status_code == 200
    assert numbers(home.content.decode()) == ["?"]
    assert "Not live: the number cannot be read right now." in home.content.decode()
