"""A site that `startproject` made serves with the handler, as docs/request.md says."""

import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import ROOT

PAGE = (ROOT / "docs" / "request.md").read_text()
RUNTIME = Path("async_views", "runtime")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after the page's steps: rooms copied, asgi.py extended."""
    directory = tmp_path_factory.mktemp("project")
    run = [sys.executable, "-m", "django", "startproject", "stock", str(directory)]
    subprocess.run(run, check=True, env={})
    rooms = re.findall(r"`(\w+)/`", PAGE.partition("```")[0])
    assert rooms
    for room in rooms:
        shutil.copytree(ROOT / RUNTIME / room, directory / RUNTIME / room)
    for package in (RUNTIME, RUNTIME.parent):
        shutil.copy(ROOT / package / "__init__.py", directory / package)
    asgi = directory / "stock" / "asgi.py"
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    environment = re.search(r"os\.environ.*\n", asgi.read_text())
    assert environment
    asgi.write_text(f"import os\n{environment[0]}{code}")
    return directory


@pytest.fixture(scope="module")
def url(project: Path) -> Iterator[str]:
    """The URL of the project, served by uvicorn."""
    with subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "stock.asgi:application", "--port", "0"],
        cwd=project,
        env={},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr
        said = ""
        for line in server.stderr:
            said += line
            running = re.search(r"running on (http://\S+)", line)
            if running:
                break
        else:
            pytest.fail(said)
        yield running[1]
        server.terminate()
        server.stderr.read()


@pytest.mark.parametrize(
    ("path", "says"),
    [("/", "The install worked"), ("/admin/login/", "Django administration")],
)
def test_a_stock_project_works_with_the_rooms(url: str, path: str, says: str) -> None:
    with urllib.request.urlopen(url + path, timeout=30) as response:
        assert says in response.read().decode()
