"""`prepare` migrates the database, creates the admin account and loads example data."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from catalog.models import Brand, Product, Sku
from tests.support.catalog.databases import manage, new_database

EXAMPLE = "  catalog    100 brands, 1,000 products, 100,000 SKUs (example data)\n"

pytestmark = pytest.mark.django_db(transaction=True)


def prepare() -> str:
    stdout = StringIO()
    call_command("prepare", stdout=stdout)
    return stdout.getvalue()


def test_an_empty_catalog_gets_example_data_in_development(settings: Settings) -> None:
    settings.DEBUG = True

    printed = prepare()

    assert EXAMPLE in printed
    assert (Product.objects.count(), Sku.objects.count()) == (1000, 100_000)


def test_a_catalog_with_a_row_gets_no_example_data(settings: Settings) -> None:
    settings.DEBUG = True
    Brand.objects.create(name="Mine")

    printed = prepare()

    assert "catalog" not in printed
    assert Brand.objects.get().name == "Mine"


def test_production_gets_no_example_data(settings: Settings) -> None:
    settings.DEBUG = False

    printed = prepare()

    assert "catalog" not in printed
    assert not Brand.objects.exists()


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def failing(event: str, table: str, condition: str = "true") -> Iterator[None]:
    """Makes PostgreSQL reject the rows that meet the condition, during the block."""
    execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION ''no room for it''; END'"
    )
    execute(
        f"CREATE TRIGGER refusal BEFORE {event} ON {table} FOR EACH ROW"
        f" WHEN ({condition}) EXECUTE FUNCTION refuse()"
    )
    try:
        yield
    finally:
        execute("DROP FUNCTION refuse CASCADE")


def failure() -> tuple[str, str]:
    """The error message of a failed `prepare`, and its output before."""
    stderr = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("prepare", stdout=StringIO(), stderr=stderr)
    assert failed.value.returncode == 1
    return str(failed.value), stderr.getvalue()


def test_a_failure_to_load_example_data_is_reported(settings: Settings) -> None:
    settings.DEBUG = True

    with failing("INSERT", "sku", "NEW.sku_id = 70000"):
        sentence, before = failure()

    assert sentence == (
        "The example data could not be loaded, and the catalog is unchanged: "
        "no room for it."
    )
    assert before.startswith("Traceback (most recent call last):")
    assert not Brand.objects.exists()


def test_a_missing_table_is_not_blamed_on_the_url(settings: Settings) -> None:
    settings.DEBUG = True
    execute("ALTER TABLE sku RENAME TO mislaid")
    try:
        sentence, _ = failure()
    finally:
        execute("ALTER TABLE mislaid RENAME TO sku")

    assert sentence == (
        "The example data could not be loaded, and the catalog is unchanged: "
        'relation "sku" does not exist.'
    )


def test_a_lock_that_others_hold_is_reported_without_a_traceback(
    settings: Settings,
) -> None:
    settings.DEBUG = True
    execute("SET lock_timeout = '50ms'")
    try:
        with psycopg.connect(**connection.get_connection_params()) as other:
            other.execute("LOCK TABLE product IN ROW EXCLUSIVE MODE")
            sentence, before = failure()
    finally:
        execute("RESET lock_timeout")

    assert sentence == (
        "The example data could not be loaded, and the catalog is unchanged: "
        "canceling statement due to lock timeout."
    )
    assert before == ""


def test_a_lost_connection_is_not_blamed_on_the_url(settings: Settings) -> None:
    settings.DEBUG = True
    killer = "PERFORM pg_terminate_backend(pg_backend_pid());"
    execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" 'BEGIN {killer} RETURN NEW; END'"
    )
    execute(
        "CREATE TRIGGER refusal BEFORE INSERT ON sku FOR EACH ROW"
        " WHEN (NEW.sku_id = 70000) EXECUTE FUNCTION refuse()"
    )
    try:
        sentence, before = failure()
    finally:
        connection.close()
        execute("DROP FUNCTION refuse CASCADE")

    # PostgreSQL's last message, or psycopg's if it was still sending.
    assert re.fullmatch(
        "The example data could not be loaded, and the catalog is unchanged: .*"
        r"(terminating connection|server closed the connection).*\.",
        sentence,
    )
    assert before == ""
    assert not Brand.objects.exists()


def test_a_failure_to_create_the_account_is_reported() -> None:
    with failing("INSERT", "auth_user"):
        sentence, _ = failure()

    assert sentence == "The admin account could not be created: no room for it."
    assert not User.objects.exists()


def test_an_unexpected_error_is_named_and_traced(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["no.such.Hasher"]

    sentence, before = failure()

    assert sentence == (
        "The admin account could not be created: ModuleNotFoundError: "
        "No module named 'no'."
    )
    assert "Traceback (most recent call last):" in before
    assert "in create_administrator" in before


def test_the_migration_that_failed_is_named() -> None:
    forget = "WHERE app = 'async_api' AND name = '0001_online_leases'"
    execute(f"CREATE TABLE kept AS SELECT * FROM django_migrations {forget}")
    execute(f"DELETE FROM django_migrations {forget}")
    try:
        sentence, before = failure()
    finally:
        execute("INSERT INTO django_migrations OVERRIDING SYSTEM VALUE TABLE kept")
        execute("DROP TABLE kept")

    assert sentence == (
        "The migration async_api.0001_online_leases failed: "
        'relation "online_lease" already exists.'
    )
    assert "Traceback (most recent call last):" in before


def test_a_failure_to_add_permissions_is_distinguished_from_the_migrations() -> None:
    execute("DROP TABLE online_lease")
    execute("DELETE FROM django_migrations WHERE app = 'async_api'")
    Permission.objects.filter(codename="add_logentry").delete()

    with failing("INSERT", "auth_permission", "NEW.codename = 'add_logentry'"):
        sentence, _ = failure()

    assert sentence == (
        "The migrations were applied, but the permissions were not added "
        "(`manage.py migrate` tries again): no room for it."
    )
    call_command("migrate", verbosity=0)
    assert Permission.objects.filter(codename="add_logentry").exists()


def test_a_read_only_database_is_not_blamed_on_the_url() -> None:
    with new_database() as url:
        name = urlsplit(url).path.removeprefix("/")
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only = on"
            )

        prepared = manage(url, "prepare")

    assert prepared.returncode == 1
    assert prepared.stderr == (
        "CommandError: The migrations could not be applied: Unable to create the "
        "django_migrations table (cannot execute CREATE TABLE in a read-only "
        "transaction).\n"
    )


def test_a_database_that_does_not_exist_is_blamed_on_the_url() -> None:
    with new_database() as url:
        pass

    prepared = manage(url, "prepare")

    assert prepared.returncode == 1
    assert re.fullmatch(
        "CommandError: DATABASE_URL cannot be used: "
        r'connection failed: .+ database "test_catalog_\w+" does not exist\.\n',
        prepared.stderr,
    )
