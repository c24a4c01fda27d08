"""The system user that runs PostgreSQL if we are root, which it refuses."""

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

SYSTEM_USER = "pgserver"


class NoSystemUser(Exception):
    """The user does not exist and could not be added."""


def admit_system_user(directory: Path, installation: Path, libraries: Path) -> None:
    """Lets a user other than root reach the data and run the programs, and no more.

    Raises NoSystemUser.
    """
    for parent in {directory, *directory.parents, *installation.parents}:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)
    # Under a strict umask, the programs and their libraries were installed for root only.
    if not installation.stat().st_mode & stat.S_IROTH:
        for tree in (installation, libraries):
            for path in (tree, *tree.rglob("*")):
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | mode >> 6 & (stat.S_IROTH | stat.S_IXOTH))
    # A copy made by root, such as a restored backup, belongs to root.
    data = directory / "data"
    if data.exists() and data.stat().st_uid == 0:
        give_to_system_user(data)


def give_to_system_user(directory: Path) -> None:
    """Makes that user the owner of a whole tree; raises NoSystemUser."""
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell=/bin/false"]
        with suppress(FileNotFoundError):
            subprocess.run([*command, SYSTEM_USER], capture_output=True)
    try:
        user = pwd.getpwnam(SYSTEM_USER)
    except KeyError as error:
        raise NoSystemUser from error
    for path in (directory, *directory.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
