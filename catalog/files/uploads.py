"""Uploaded files, stored between the preview and the import."""

import re
import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from import_export.tmp_storages import BaseStorage

NAME = re.compile(r"[0-9a-f]{32}")
KEPT_SECONDS = 3600


def directory() -> Path:
    return Path(settings.VAR_DIR) / "imports"


class Uploads(BaseStorage):
    """Files below ``var/``, shared by all workers of the machine and kept for an hour.

    The library's own storage never deletes an abandoned file, and reads and removes any
    temporary file of any program that a form names.
    """

    def save(self, data: bytes) -> None:
        sweep()
        self.name = secrets.token_hex(16)
        self.path.touch(mode=0o600)
        self.path.write_bytes(data)

    def read(self) -> Any:
        """The content; raises FileNotFoundError after it was removed."""
        return self.path.read_bytes()

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        if not NAME.fullmatch(self.name or ""):
            raise FileNotFoundError(self.name)
        return directory() / self.name


def sweep() -> None:
    """Creates the directory, and removes expired files."""
    directory().mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in directory().iterdir():
        try:
            if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue  # Another worker removed it.
