"""A process is ready if it has a database, and the database is migrated."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from django.test import AsyncClient

from async_views.runtime.postgres import database
from async_views.runtime.postgres.database import Connection
from async_views.runtime.postgres.pending_migrations import required_migrations
from tests.support.catalog.databases import manage, new_database
from tests.support.catalog.service import send
from tests.support.site import Site


@pytest.fixture
async def operator(transactional_db: None) -> AsyncIterator[Connection]:
    """A connection for changing the records of migrations, which are restored afterwards."""
    async with await psycopg.AsyncConnection.connect(**database.parameters()) as own:
        await own.execute("CREATE TABLE kept AS TABLE django_migrations")
        yield own
        await own.execute("DROP TABLE IF EXISTS django_migrations")
        await own.execute("ALTER TABLE kept RENAME TO django_migrations")


async def ready() -> tuple[int, str]:
    """The status, and the reason if there is one."""
    answer = await AsyncClient().get("/readyz")
    return answer.status_code, answer.json().get("detail", "")


def test_a_database_without_its_migrations_is_not_ready_until_it_has_them() -> None:
    required = len(required_migrations())
    with (
        new_database() as url,
        Site(DATABASE_URL=url) as asgi,
        # A synchronous worker, where each response uses a connection of its own.
        Site("-k", "sync", "async_views.wsgi", DATABASE_URL=url) as wsgi,
    ):
        sites = asgi.url, wsgi.url
        before = [send(site, "GET", "/readyz") for site in sites]
        head = [send(site, "HEAD", "/readyz").status for site in sites]
        alive = [send(site, "GET", "/healthz").status for site in sites]
        manage(url, "migrate", "--verbosity=0")
        after = [send(site, "GET", "/readyz") for site in sites]
        with psycopg.connect(url) as connection:
            connection.execute("DELETE FROM django_migrations WHERE app = 'async_api'")
        taken_back = [send(site, "GET", "/readyz") for site in sites]

    for answer in before:
        assert answer.problem["detail"] == (
            f"The database lacks {required} of this release's migrations: "
            "admin.0001_initial, admin.0002_logentry_remove_auto_add, "
            f"admin.0003_logentry_add_action_flag_choices and {required - 3} more. "
            "`manage.py migrate` applies them."
        )
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
    assert (head, alive) == ([503, 503], [200, 200])
    assert [(answer.status, answer.json) for answer in after] == [
        (200, {"status": "ok"})
    ] * 2
    for answer in taken_back:
        assert answer.problem["detail"] == (
            "The database lacks 1 of this release's migrations: "
            "async_api.0001_online_leases. `manage.py migrate` applies them."
        )


async def test_a_browser_gets_the_reason_as_a_page(operator: Connection) -> None:
    await operator.execute("DROP TABLE django_migrations")

    answer = await AsyncClient().get("/readyz", headers={"Accept": "text/html"})

    assert answer.status_code == 503
    assert "admin.0001_initial" in answer.content.decode()


async def test_migrations_of_a_newer_release_are_ignored(
    operator: Connection,
) -> None:
    await operator.execute(
        "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('catalog', '9999_of_tomorrow', now()), ('other', '0001', now())"
    )

    assert await ready() == (200, "")


async def test_a_repeated_record_counts_once(operator: Connection) -> None:
    await operator.execute(
        "INSERT INTO django_migrations (app, name, applied)"
        " SELECT app, name, now() FROM django_migrations"
    )

    assert await ready() == (200, "")


async def test_each_missing_migration_is_found_by_its_app_and_name(
    operator: Connection,
) -> None:
    for app, name in sorted(required_migrations()):
        await operator.execute(
            "UPDATE django_migrations SET app = app || '_' WHERE app = %s AND name = %s",
            [app, name],
        )

        status, reason = await ready()

        assert status == 503
        assert f"lacks 1 of this release's migrations: {app}.{name}. " in reason
        await operator.execute(
            "UPDATE django_migrations SET app = %s WHERE app = %s || '_'", [app, app]
        )


async def test_unreadable_records_are_not_ready_with_the_reason(
    operator: Connection,
) -> None:
    await operator.execute("ALTER TABLE django_migrations RENAME name TO title")

    assert await ready() == (
        503,
        "The database does not say which migrations it has: "
        'column "name" does not exist.',
    )
