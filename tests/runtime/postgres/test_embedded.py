"""The embedded PostgreSQL runs exactly while a process holds it, whatever happens."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from async_views.runtime.postgres import embedded
from tests.support.site import PATIENCE, SECONDS_TO_WAIT

ROOT = Path(__file__).parents[3]
NOBODY = 65534

HOLD = """
import sys
from pathlib import Path
from async_views.runtime.postgres import embedded

hold = embedded.hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
hold.release()
"""

HOLD_UNPRIVILEGED = f"""
import os, sys
from pathlib import Path
from async_views.runtime.postgres import embedded

if os.geteuid() == 0:
    os.setgid({NOBODY})
    os.setuid({NOBODY})
try:
    embedded.hold(Path(sys.argv[1]))
except embedded.EmbeddedPostgresError as error:
    print(error)
"""


pytestmark = pytest.mark.served


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A directory for a database."""
    yield tmp_path / "postgres"
    kill_server(tmp_path / "postgres")
    shutil.rmtree(tmp_path / "postgres", ignore_errors=True)


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("initialised") / "postgres"
    embedded.hold(directory).release()
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def directory(initialised: Path) -> Iterator[Path]:
    """A stopped database that the tests share, because creating one takes a second."""
    yield initialised
    kill_server(initialised)


def kill_server(directory: Path) -> None:
    """Cleans up, so that a failed test does not affect the next."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(postmaster(directory), signal.SIGQUIT)


def postmaster(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().splitlines()[0])


def connect(directory: Path) -> psycopg.Connection:
    return psycopg.connect(embedded.url(directory), autocommit=True)


def answers(directory: Path) -> bool:
    try:
        connect(directory).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not condition():
        assert time.monotonic() < deadline, f"waited {SECONDS_TO_WAIT} seconds in vain"
        time.sleep(0.005)


def another_process(directory: Path) -> subprocess.Popen[str]:
    """A process that holds the server until its standard input is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, directory],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def wait_until_held(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "held\n"


@contextmanager
def another_holder(directory: Path) -> Iterator[subprocess.Popen[str]]:
    with another_process(directory) as process:
        wait_until_held(process)
        yield process


def test_an_empty_directory_becomes_a_server_at_the_predicted_url(empty: Path) -> None:
    url = embedded.url(empty)

    with embedded.hold(empty), psycopg.connect(url) as connection:
        row = connection.execute("SELECT upper('é'), 1 + 1").fetchone()

    assert row == ("É", 2)


def test_data_is_kept_when_the_server_stops(directory: Path) -> None:
    with embedded.hold(directory), connect(directory) as connection:
        connection.execute("CREATE TABLE kept_by_stop AS SELECT 42 AS answer")

    with embedded.hold(directory), connect(directory) as connection:
        assert connection.execute("SELECT answer FROM kept_by_stop").fetchone() == (42,)


def test_only_the_last_release_stops_the_server(directory: Path) -> None:
    first = embedded.hold(directory)
    started = postmaster(directory)
    second = embedded.hold(directory)

    first.release()
    assert answers(directory)
    assert postmaster(directory) == started
    second.release()
    assert not answers(directory)


def test_releasing_twice_does_not_release_another_share(directory: Path) -> None:
    with embedded.hold(directory):
        once = embedded.hold(directory)
        once.release()
        once.release()

        assert answers(directory)


def test_processes_that_start_at_once_share_one_server(empty: Path) -> None:
    with another_process(empty) as first, another_process(empty) as second:
        wait_until_held(first)
        wait_until_held(second)

        first.communicate()
        assert answers(empty)
        second.communicate()
        assert not answers(empty)


def test_the_server_of_a_killed_holder_is_adopted_and_stopped(directory: Path) -> None:
    with another_holder(directory) as holder:
        holder.kill()
    assert answers(directory)
    started = postmaster(directory)

    with embedded.hold(directory):
        assert postmaster(directory) == started
    assert not answers(directory)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(directory: Path) -> None:
    with another_holder(directory) as holder:
        os.killpg(holder.pid, signal.SIGINT)
    assert holder.returncode == -signal.SIGINT

    with embedded.hold(directory), connect(directory) as connection:
        connection.execute("SELECT 1")
        log = (directory / "data" / "server.log").read_text()
    assert "shutdown request" not in log


def test_a_fork_keeps_the_server_when_its_parent_releases(directory: Path) -> None:
    hold = embedded.hold(directory)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(writing)
            os.read(reading, 1)
            hold.release()
        finally:
            os._exit(0)
    os.close(reading)

    hold.release()
    assert answers(directory)
    os.close(writing)
    os.waitpid(child, 0)
    assert not answers(directory)


def test_a_parent_with_patience_waits_for_its_forks_to_end(directory: Path) -> None:
    hold = embedded.hold(directory)
    child = os.fork()
    if child == 0:
        time.sleep(0.2)
        os._exit(0)

    hold.release(patience_seconds=5)

    assert not answers(directory)
    os.waitpid(child, 0)


def test_a_patient_parent_waits_only_for_its_forks(directory: Path) -> None:
    with embedded.hold(directory):
        began = time.monotonic()
        embedded.hold(directory).release(patience_seconds=60)

        assert time.monotonic() - began < 30
        assert answers(directory)


def test_a_fork_that_ends_in_order_does_not_wait_for_its_parent(
    directory: Path,
) -> None:
    hold = embedded.hold(directory)
    child = os.fork()
    if child == 0:
        try:
            hold.release()
        finally:
            os._exit(0)

    os.waitpid(child, 0)
    assert answers(directory)
    hold.release(patience_seconds=60)
    assert not answers(directory)


def test_a_killed_server_is_started_again_with_its_data(directory: Path) -> None:
    with embedded.hold(directory):
        with connect(directory) as connection:
            connection.execute("CREATE TABLE kept_by_kill AS SELECT 42 AS answer")
        os.kill(postmaster(directory), signal.SIGKILL)

        with embedded.hold(directory), connect(directory) as connection:
            assert connection.execute("SELECT answer FROM kept_by_kill").fetchone() == (
                42,
            )


def test_a_server_that_is_going_down_is_replaced(directory: Path) -> None:
    with embedded.hold(directory), connect(directory):
        going = postmaster(directory)
        os.kill(going, signal.SIGTERM)  # waits for its clients to leave
        wait_until(lambda: not answers(directory))

        with embedded.hold(directory):
            assert answers(directory)
            assert postmaster(directory) != going


def test_a_pid_file_with_the_pid_of_another_program_does_not_prevent_a_start(
    directory: Path,
) -> None:
    data = directory / "data"
    with embedded.hold(directory):
        owner = data.stat().st_uid
        pid_files = [data / "postmaster.pid", data / ".s.PGSQL.5432.lock"]
        left_behind = {path: path.read_text() for path in pid_files}
        pid = str(postmaster(directory))
    user = owner if os.geteuid() == 0 else None
    # PostgreSQL mistakes any living process of its own user for another server.
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=user) as stranger:
        for path, text in left_behind.items():
            path.write_text(text.replace(pid, str(stranger.pid), 1))

        with embedded.hold(directory):
            assert answers(directory)
        assert stranger.poll() is None


def test_an_interrupted_initialisation_is_repeated(empty: Path) -> None:
    with another_process(empty) as starter:
        wait_until((empty / "unfinished" / "PG_VERSION").exists)
        starter.kill()

    with embedded.hold(empty):
        assert answers(empty)
        assert not (empty / "unfinished").exists()


def test_it_stops_within_five_seconds_with_a_client_in_a_transaction(
    directory: Path,
) -> None:
    hold = embedded.hold(directory)
    with psycopg.connect(embedded.url(directory)) as client:
        client.execute("CREATE TABLE unfinished ()")
        started = time.monotonic()

        hold.release()

        assert time.monotonic() - started < 5 * PATIENCE
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")


def test_it_listens_on_a_socket_only_its_owner_can_reach(directory: Path) -> None:
    with embedded.hold(directory), connect(directory) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)

    socket_directory = Path(str(conninfo_to_dict(embedded.url(directory))["host"]))
    assert stat.S_IMODE(socket_directory.stat().st_mode) == 0o700


@contextmanager
def moved(directory: Path, elsewhere: Path) -> Iterator[Path]:
    directory.rename(elsewhere)
    try:
        yield elsewhere
    finally:
        elsewhere.rename(directory)


@pytest.mark.parametrize("name", ["a, b", "$a 'b\" 100 %"])
def test_a_path_may_have_unusual_characters(
    directory: Path, tmp_path: Path, name: str
) -> None:
    with moved(directory, tmp_path / name), embedded.hold(tmp_path / name):
        assert answers(tmp_path / name)


def test_a_path_too_long_for_a_socket_has_a_short_name_while_the_server_runs(
    directory: Path, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 120)
    link = Path(str(conninfo_to_dict(embedded.url(long))["host"]))

    with moved(directory, long), embedded.hold(long), connect(long) as connection:
        with embedded.hold(long):
            connection.execute("SELECT 1")
        assert link.is_symlink()
    assert not link.is_symlink()


def test_data_of_another_major_version_is_refused(empty: Path) -> None:
    (empty / "data").mkdir(parents=True)
    (empty / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(embedded.EmbeddedPostgresError) as refusal:
        embedded.hold(empty)

    assert str(refusal.value) == (
        f"EMBEDDED_POSTGRES_DIR ({empty}) holds data of PostgreSQL 17, not 18: name an"
        " empty directory, or one that does not exist yet, and move the data with"
        " pg_dump 17."
    )


@pytest.mark.parametrize("foreign", ["PG_VERSION", "data/important.txt"])
def test_a_directory_with_other_files_is_not_changed(empty: Path, foreign: str) -> None:
    (empty / foreign).parent.mkdir(parents=True)
    (empty / foreign).write_text("18\n")

    with pytest.raises(embedded.EmbeddedPostgresError, match="EMBEDDED_POSTGRES_DIR"):
        embedded.hold(empty)

    assert (empty / foreign).read_text() == "18\n"


def test_an_unwritable_directory_is_explained(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    directory = tmp_path / "postgres"

    said = subprocess.run(
        [sys.executable, "-c", HOLD_UNPRIVILEGED, directory],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout

    assert said.startswith(f"EMBEDDED_POSTGRES_DIR ({directory}) cannot be used")
    assert "Permission denied" in said


def test_a_path_through_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(embedded.EmbeddedPostgresError, match="Not a directory"):
        embedded.hold(tmp_path / "file" / "postgres")


def test_damaged_data_is_explained_with_the_servers_last_words(
    directory: Path, tmp_path: Path
) -> None:
    with (
        moved(directory / "data" / "global" / "pg_control", tmp_path / "pg_control"),
        pytest.raises(embedded.EmbeddedPostgresError) as refusal,
    ):
        embedded.hold(directory)

    assert "does not start" in str(refusal.value)
    assert "pg_control" in refusal.value.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own data it cannot serve")
def test_data_restored_by_root_is_owned_by_the_servers_user(
    directory: Path,
) -> None:
    os.chown(directory / "data", 0, 0)

    with embedded.hold(directory):
        assert answers(directory)
    assert (directory / "data").stat().st_uid != 0
