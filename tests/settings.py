"""The settings of the tests: those of production, with a few exceptions."""

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
# Each process of pytest-xdist has a server of its own, without the roles, locks and
# connections of the others. Its child processes inherit the variable.
worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if not directory.endswith(worker):
    os.environ["EMBEDDED_POSTGRES_DIR"] = f"{directory}-{worker}"

# All tests share a process. The tests of rate limits set their own.
os.environ |= {"CATALOG_READS_A_MINUTE": "0", "CATALOG_WRITES_A_MINUTE": "0"}

from async_views.settings import *  # noqa: E402, F403
