"""Which database do the peers ask? One of this run's own, with Django's tables."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from async_views.runtime import embedded
from benchmarks.server import CHECKOUT, ServerFailed, production

SETTINGS = "benchmarks.applications.site_settings"


@contextmanager
def migrated_database() -> Iterator[str]:
    """The URL of an embedded PostgreSQL that runs where this process does.

    Raises EmbeddedPostgresError, ServerFailed.
    """
    with TemporaryDirectory() as directory:
        postgres = Path(directory) / "postgres"
        with embedded.hold(postgres):
            url = embedded.url(postgres)
            finished = subprocess.run(
                [sys.executable, "-m", "django", "migrate", "--verbosity=0"],
                cwd=CHECKOUT,
                env=os.environ
                | production(0, directory)
                | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS},
                check=False,
            )
            if finished.returncode:
                raise ServerFailed("The database could not be migrated: see above.")
            yield url
