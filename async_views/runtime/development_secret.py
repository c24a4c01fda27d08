"""Which secret does a development site sign with, when nobody gave it one?"""

import os
import secrets
from pathlib import Path


def development_secret(file: Path) -> str:
    """The random secret kept in `file`, made on first use and readable by its owner only.

    Every process of the site reads the same one, so that a login survives a restart.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    try:
        # A hard link either makes the whole file or fails: two processes that start at
        # once agree on the first one's secret.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text()
