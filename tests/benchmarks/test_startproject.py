"""Is Django compared, and tested, with the middleware that it recommends?"""

import runpy
from pathlib import Path

from django.core.management import call_command

from benchmarks.servers.applications import startproject


def test_a_project_that_django_starts_has_this_middleware(tmp_path: Path) -> None:
    call_command("startproject", "project", tmp_path)

    settings = runpy.run_path(str(tmp_path / "project" / "settings.py"))

    assert startproject.MIDDLEWARE == settings["MIDDLEWARE"]
