"""By which names are the static files known? Their own, and one that has their hash.

A hashed name changes with what is in the file, so that a browser may keep it for ever.
Django's `collectstatic` writes such copies to a folder; here they are made in memory, so
that nothing has to be collected, shipped or cleaned up. Under DEBUG, Django names files
plainly, and nothing is read.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import HashedFilesMixin
from django.core.files.storage import InMemoryStorage, Storage


@dataclass(frozen=True)
class CollectedFile:
    """``modified`` is in seconds since 1970."""

    content: bytes
    modified: float
    hashed: bool


# The stubs of the two disagree about `url`, as they do for Django's own such class.
class HashedStaticFiles(HashedFilesMixin, InMemoryStorage):  # type: ignore[misc]
    """The `staticfiles` of STORAGES: reads and hashes all files when first asked."""

    keep_intermediate_files = False

    def __init__(self) -> None:
        super().__init__(location="/", base_url=settings.STATIC_URL)

    def stored_name(self, name: str) -> str:
        """The hashed name; raises ``ValueError`` where there is no such file."""
        parts = urlsplit(name)
        file = self.collected.get(parts.path)
        if file is None or file.hashed:
            raise ValueError(f"There is no static file {parts.path!r}.")
        return urlunsplit(parts._replace(path=self.hashed_files[parts.path]))

    @cached_property
    def collected(self) -> Mapping[str, CollectedFile]:
        """Every file by each of its names.

        Raises ``ValueError`` where a style sheet names a file that is not there.
        """
        sources = find_all()
        for name, (storage, path) in sources.items():
            with storage.open(path) as original:
                self.save(name, original)
        for _, _, outcome in self.post_process(sources):
            if isinstance(outcome, Exception):
                raise outcome
        files = {}
        for name, (storage, path) in sources.items():
            modified = storage.get_modified_time(path).timestamp()
            content, adjusted = self.take(name), self.take(self.hashed_files[name])
            files[name] = CollectedFile(content, modified, hashed=False)
            files[self.hashed_files[name]] = CollectedFile(
                # One copy in memory is enough where no reference had to be adjusted.
                content if adjusted == content else adjusted,
                modified,
                hashed=True,
            )
        return files

    def take(self, name: str) -> bytes:
        """The file's content, which is not held here a second time from then on."""
        with self.open(name) as file:
            content: bytes = file.read()
        self.delete(name)
        return content


def find_all() -> dict[str, tuple[Storage, str]]:
    """What `collectstatic` would find: each name's storage, and its path in there."""
    found: dict[str, tuple[Storage, str]] = {}
    for finder in get_finders():
        for path, storage in finder.list(StaticFilesConfig.ignore_patterns):
            prefix = getattr(storage, "prefix", None) or ""
            found.setdefault(os.path.join(prefix, path), (storage, path))
    return found
