"""Separate databases for tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from django.conf import settings
from psycopg import sql

from async_views.runtime.postgres import embedded
from tests.support.site import ROOT

# `migrate` takes a second or two, and up to a minute on a busy machine.
SECONDS_TO_END = 240


@contextmanager
def new_database(template: str = "template1") -> Iterator[str]:
    """The URL of a new copy of the database `template`; it is dropped at the end."""
    server = os.environ.get("DATABASE_URL") or embedded.url(
        settings.EMBEDDED_POSTGRES_DIR
    )
    name = f"test_catalog_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def manage(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with that database, as an operator would."""
    with start_managing(url, *arguments) as running:
        stdout, stderr = running.communicate(timeout=SECONDS_TO_END)
    return subprocess.CompletedProcess(running.args, running.returncode, stdout, stderr)


def start_managing(url: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "async_views.settings",
    }
    # The site runs without the Python settings of the tests.
    for name in ("PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONUNBUFFERED"):
        environment.pop(name, None)
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
