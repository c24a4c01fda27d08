"""The peers' stock Django has the middleware that `startproject` creates."""

import runpy
from pathlib import Path

from django.core.management import call_command

from benchmarks.servers.applications import startproject


def test_a_new_project_has_this_middleware(tmp_path: Path) -> None:
    call_command("startproject", "project", tmp_path)

    settings = runpy.run_path(str(tmp_path / "project" / "settings.py"))

    assert startproject.MIDDLEWARE == settings["MIDDLEWARE"]
