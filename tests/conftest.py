"""Fixtures and hooks for all tests."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from django.conf import settings

from async_views.runtime.postgres import embedded
from tests.support.catalog.databases import manage, new_database
from tests.support.processes import VARIABLE, guarded, kill_left_behind
from tests.support.target import TargetServer
from tests.support.tiers import needs_postgres, nothing_but_python, tier_of

# A process that a script starts in the background (`nohup make test &`) ignores SIGINT, and
# so do its children. The tests end their processes with that signal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# The longest test takes 40 seconds on an idle machine.
SECONDS_OF_A_TEST = 300
SECONDS_TO_END = 20
# For `make test-unit`, which is run often; `make test` tries ten times as many.
hypothesis.settings.register_profile("quick", max_examples=10)

PROCESSES = pytest.StashKey[tuple[str, Path]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # All test runs on the machine share pytest's usual directory, and each run makes it
    # inaccessible to the system user of the embedded PostgreSQL.
    if config.option.basetemp is None:
        directory = tempfile.mkdtemp(prefix="async-views-tests-")
        config.option.basetemp = directory
        config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None, object, object]:
    mark = os.environ[VARIABLE] = uuid.uuid4().hex
    directory = Path(session.config.option.basetemp).resolve()
    stack = contextlib.ExitStack()
    stack.enter_context(guarded(mark, directory, settings.EMBEDDED_POSTGRES_DIR))
    session.config.add_cleanup(stack.close)
    session.config.stash[PROCESSES] = (mark, directory)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Kills the processes that tests leave behind, and fails the run if there are any."""
    yield
    if is_controller(session.config) or PROCESSES not in session.config.stash:
        return
    for command in kill_left_behind(*session.config.stash[PROCESSES]):
        print(f"A test left a process behind: {command}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def is_controller(config: pytest.Config) -> bool:
    """Whether this process only distributes the tests to the workers of pytest-xdist."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(
        config, "workerinput"
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[None]:
    """A real PostgreSQL: the server in DATABASE_URL, or else the embedded one."""
    if not settings.EMBEDDED_POSTGRES:
        yield
        return
    directory = settings.EMBEDDED_POSTGRES_DIR
    with embedded.hold(directory):
        # The data of the tests need not survive a crash of the machine.
        with psycopg.connect(embedded.url(directory), autocommit=True) as database:
            database.execute("ALTER SYSTEM SET fsync = off")
            database.execute("SELECT pg_reload_conf()")
        yield


@pytest.fixture(scope="session")
def django_db_setup(postgres: None, django_db_setup: None) -> None:
    """The fixture of pytest-django, after PostgreSQL has started."""


@pytest.fixture(scope="session")
def migrated(postgres: None) -> Iterator[str]:
    """The name of a migrated database, which is faster to copy than to migrate again."""
    with new_database() as url:
        done = manage(url, "migrate", "--verbosity=0")
        assert done.returncode == 0, done.stderr
        yield urlsplit(url).path.removeprefix("/")


# The longest test files, which start first so that no process ends much later.
LONGEST_FILES = (
    "test_serving",
    "test_contract",
    "test_docs",
    "online/test_site",
    "test_adoption",
    "test_layers",
    "test_freshness",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with its tier, and sorts the longest files to the front."""
    for item in items:
        assert isinstance(item, pytest.Function)
        item.add_marker(tier_of(item))
        if needs_postgres(item):
            item.fixturenames.insert(0, "postgres")

    def place(item: pytest.Item) -> int:
        path = str(item.path)
        found = [
            rank for rank, name in enumerate(LONGEST_FILES) if f"{name}.py" in path
        ]
        return found[0] if found else len(LONGEST_FILES)

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    # Not around set-up and teardown, which may end what tests of another tier shared.
    is_unit = item.get_closest_marker("unit") is not None
    with (
        bounded(SECONDS_OF_A_TEST),
        nothing_but_python() if is_unit else contextlib.nullcontext(),
    ):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    with bounded(SECONDS_OF_A_TEST):
        return (yield)


@contextlib.contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Fails a block that takes longer, and then fails its cleanup if that hangs too."""

    def fail(number: int, frame: object) -> None:
        pytest.fail(f"This took more than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, fail)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds, SECONDS_TO_END)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def target() -> Iterator[TargetServer]:
    """A server to probe, which misbehaves depending on the path."""
    with TargetServer() as server:
        yield server


@pytest.fixture
def unused_port() -> Callable[[], int]:
    """Finds a port of 127.0.0.1 that nothing listens on."""

    def find() -> int:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return int(free.getsockname()[1])

    return find


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS context with a self-signed certificate."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate}"
        " -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
