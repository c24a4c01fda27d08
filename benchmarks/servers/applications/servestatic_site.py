"""The site with ServeStatic instead of its own static files."""

import os
from pathlib import Path

from django.conf import settings

os.environ["DJANGO_SETTINGS_MODULE"] = (
    "benchmarks.servers.applications.servestatic_settings"
)

from async_views.runtime.asgi.types import Application
from async_views.runtime.static import static_files


def servestatic(application: Application) -> Application:
    # Only installed for this benchmark.
    from servestatic import ServeStaticASGI  # type: ignore[import-not-found]

    served: Application = ServeStaticASGI(
        application,
        root=settings.STATIC_ROOT,
        prefix=settings.STATIC_URL,
        immutable_file_test=is_hashed,
    )
    return served


def is_hashed(path: str, url: str) -> bool:
    return Path(path).name.count(".") > 1


static_files.static_files_asgi = servestatic

from async_views.asgi import application  # noqa: E402

__all__ = ["application"]
