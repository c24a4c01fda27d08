"""The database of the peers: an embedded PostgreSQL of its own, with the site's tables."""

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
    """An embedded PostgreSQL: its URL, its first process, and its number of products."""

    url: str
    process: int
    products: int

    def cpu_seconds(self) -> float:
        """CPU time of all its processes, including those of connections."""
        return cpu_seconds(self.process)

    def restore(self) -> None:
        """Deletes the products that were created, and their dead rows and index entries."""
        execute(self.url, "DELETE FROM product WHERE product_id > %s", self.products)
        execute(self.url, "VACUUM product")


@contextmanager
def example_database(products: int = PRODUCTS) -> Iterator[Database]:
    """Has the book's 100 brands and `products` products; runs on this process's cores.

    Raises EmbeddedPostgresError, ServerFailed.
    """
    with TemporaryDirectory() as directory:
        postgres = Path(directory) / "postgres"
        with embedded.hold(postgres):
            url = embedded.url(postgres)
            # Autovacuum would clean up after one peer during the turn of another.
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
    """Runs a management command of the site; raises ServerFailed."""
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
    """Executes one statement in autocommit mode, which VACUUM and ALTER SYSTEM require."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql, parameters)
