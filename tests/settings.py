"""The site's settings as the tests run them: production's, but for what a test needs."""

import os
import secrets
from pathlib import Path

os.environ |= {
    "DEBUG": "0",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1,[::1]",
    "HTTPS": "0",
    "PROBE_ACCESS": "anyone",
    "PROBE_PRIVATE_TARGETS": "127.0.0.0/8,::1/128,localhost",
    "PREPARE_ON_START": "0",
}
directory = os.environ.setdefault(
    "EMBEDDED_POSTGRES_DIR",
    str(Path(__file__).resolve().parent.parent / "var" / "postgres-for-tests"),
)
# Each process of pytest-xdist has a server of its own: no other's roles, locks and
# connections are in it. What such a process starts has inherited the name.
worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if not directory.endswith(worker):
    os.environ["EMBEDDED_POSTGRES_DIR"] = f"{directory}-{worker}"

# One process answers all tests: limits have their own.
os.environ |= {"CATALOG_READS_A_MINUTE": "0", "CATALOG_WRITES_A_MINUTE": "0"}

from async_views.settings import *  # noqa: E402, F403
