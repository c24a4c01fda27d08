"""The room's modules need no HTTP client."""

import subprocess
import sys

from tests.support.site import ROOT

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(f"async_api.outbound.{name}")
print("aiohttp" in sys.modules)
"""


def test_the_room_does_not_import_aiohttp() -> None:
    names = [path.stem for path in (ROOT / "async_api" / "outbound").glob("*.py")]
    names.remove("__init__")

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert names
    assert done.stdout.strip() == "False"
