import json
import re

import pytest
from django.test import AsyncClient

from async_views.runtime.configuration import environment

pytestmark = pytest.mark.usefixtures("django_db_setup")


async def test_the_start_page_shows_the_time_and_links_to_a_probe_of_it() -> None:
    page = (await AsyncClient().get("/")).content.decode()

    said = re.findall(r"<pre>(.+)</pre>", page)[0].replace("&quot;", '"')
    assert set(json.loads(said)) == {"month", "day", "time"}
    assert "/requests/?url=http%3A//testserver/time&amp;request_num=50" in page
    assert "the database is available" in page


@pytest.mark.parametrize("path", ["/", "/counter/"])
async def test_a_page_without_parameters_says_what_it_ignored(path: str) -> None:
    seen = await AsyncClient().get(f"{path}?a=1", headers={"accept": "text/html"})
    refused = await AsyncClient().get(f"{path}?a=1", headers={"accept": "*/*"})

    page = seen.content.decode()
    assert seen.status_code == 200
    assert "Part of the address was ignored" in page
    assert "<code>a</code>: This is not a parameter here: it takes none." in page
    assert refused.status_code == 400
    [error] = refused.json()["errors"]
    assert (error["field"], error["value"]) == ("a", "1")


async def test_without_a_database_the_start_page_works_and_says_so(
    no_database: None,
) -> None:
    response = await AsyncClient().get("/")

    assert response.status_code == 200
    assert "does not respond" in response.content.decode()


async def test_a_process_without_a_database_is_alive_but_not_ready(
    no_database: None,
) -> None:
    alive = await AsyncClient().get("/healthz")
    ready = await AsyncClient().get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert ready.status_code == 503
    assert int(ready["Retry-After"]) > 0
    assert ready.json()["detail"] == "The database does not respond right now."


async def test_a_process_with_its_database_is_ready() -> None:
    response = await AsyncClient().get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's URL has a port on which nothing listens."""
    from django.db import connection

    monkeypatch.setenv("NOWHERE", "postgresql://nobody@127.0.0.1:1/nothing")
    nowhere = environment.database("NOWHERE", "")
    for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT"):
        monkeypatch.setitem(connection.settings_dict, name, nowhere[name])
