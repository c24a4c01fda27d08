"""The secret key of a development site that was given none."""

import os
import secrets
from pathlib import Path

from async_views.runtime.configuration.environment import (
    RANDOM_CHARACTERS,
    UnreadableVariable,
)


def development_secret(file: Path) -> str:
    """The random secret kept in `file`, created on first use, readable by its owner only.

    All processes of the site read the same one, so that a login survives a restart.
    Raises UnreadableVariable if the file cannot be written or read.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        make(file)
        return file.read_text()
    except OSError as error:
        raise UnreadableVariable(
            "SECRET_KEY",
            f"is not set, and none can be kept in {error.filename} ({error.strerror})",
            RANDOM_CHARACTERS,
        ) from error


def make(file: Path) -> None:
    """Writes a secret, unless there is one already."""
    if file.exists():
        return
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    try:
        # A hard link either creates the whole file or fails: processes that start at the
        # same time agree on the first one's secret.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
