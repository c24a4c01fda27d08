"""The names of static files: the plain name, and one with a hash of the content.

A hashed name changes with the content, so browsers may cache it for ever. Django's
`collectstatic` writes such copies to a folder; here they are made in memory, so nothing has
to be collected, deployed or cleaned up. Under DEBUG, Django uses the plain names, and
nothing is read here.
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
    """The `staticfiles` of STORAGES: reads and hashes all files on first use."""

    keep_intermediate_files = False

    def __init__(self) -> None:
        super().__init__(location="/", base_url=settings.STATIC_URL)

    def stored_name(self, name: str) -> str:
        """The hashed name; raises ``ValueError`` if there is no such file."""
        parts = urlsplit(name)
        file = self.collected.get(parts.path)
        if file is None or file.hashed:
            raise ValueError(f"There is no static file {parts.path!r}.")
        return urlunsplit(parts._replace(path=self.hashed_files[parts.path]))

    @cached_property
    def collected(self) -> Mapping[str, CollectedFile]:
        """All files, under each of their names.

        Raises ``ValueError`` if a style sheet refers to a file that does not exist.
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
                # One copy is enough if no reference had to be adjusted.
                content if adjusted == content else adjusted,
                modified,
                hashed=True,
            )
        return files

    def take(self, name: str) -> bytes:
        """Removes the file from this storage, and returns its content."""
        with self.open(name) as file:
            content: bytes = file.read()
        self.delete(name)
        return content


def find_all() -> dict[str, tuple[Storage, str]]:
    """What `collectstatic` would find: the storage of each name, and the path in it."""
    found: dict[str, tuple[Storage, str]] = {}
    for finder in get_finders():
        for path, storage in finder.list(StaticFilesConfig.ignore_patterns):
            prefix = getattr(storage, "prefix", None) or ""
            found.setdefault(os.path.join(prefix, path), (storage, path))
    return found
