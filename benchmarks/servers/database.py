"""Which database do the peers ask? One of this run's own, with the site's tables."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString

import psycopg

from async_views.runtime.postgres import embedded
from benchmarks.servers.server import CHECKOUT, ServerFailed, cpu_seconds, production

SETTINGS = "benchmarks.servers.applications.site_settings"
PRODUCTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Database:
    """An embedded PostgreSQL: where it is, its first process, and what is in it."""

    url: str
    process: int
    products: int

    def cpu_seconds(self) -> float:
        """Of all its processes, the connections of whoever asks it included."""
        return cpu_seconds(self.process)

    def restore(self) -> None:
        """Deletes the products that were made, and what they leave in the indexes."""
        execute(self.url, "DELETE FROM product WHERE product_id > %s", self.products)
        execute(self.url, "VACUUM product")


@contextmanager
def example_database(products: int = PRODUCTS) -> Iterator[Database]:
    """With the book's 100 brands and so many products; it runs where this process does.

    Raises EmbeddedPostgresError, ServerFailed.
    """
    with TemporaryDirectory() as directory:
        postgres = Path(directory) / "postgres"
        with embedded.hold(postgres):
            url = embedded.url(postgres)
            # Otherwise it would clean up after one peer in the turn of another.
            execute(url, "ALTER SYSTEM SET autovacuum = off")
            execute(url, "SELECT pg_reload_conf()")
            manage(directory, url, "migrate", "--verbosity=0")
            manage(
                *(directory, url, "seed_catalog"),
                *(f"--products={products}", "--skus-per-product=0"),
            )
            # The first line of this file is the server's first process.
            pid_file = postgres / "data" / "postmaster.pid"
            process = int(pid_file.read_text().splitlines()[0])
            yield Database(url, process, products)


def manage(directory: str, url: str, *arguments: str) -> None:
    """A command of the site's manage.py; raises ServerFailed."""
    finished = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=CHECKOUT,
        env=os.environ
        | production(0, directory)
        | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if finished.returncode:
        raise ServerFailed(
            f"The database is not ready: {arguments[0]} failed, see above."
        )


def execute(url: str, sql: LiteralString, *parameters: object) -> None:
    """By itself, as no transaction can hold some of them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql, parameters)
