"""Installs the other load generators: from Debian, npm and PyPI.

What does not come from Debian is installed into a folder of the checkout, away from the
site's own packages.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.servers.server import CHECKOUT

FOLDER = CHECKOUT / ".venv-peers"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PROGRAMS = Path(__file__).with_name("applications")
SECONDS = 300  # for each step


class NotInstalled(Exception):
    """A peer cannot be installed here; the message gives the reason."""


def from_debian(program: str, package: str) -> Path:
    """Raises NotInstalled."""
    if shutil.which(program) is None:
        step("apt-get", "update")
        step("apt-get", "install", "--yes", package)
    found = shutil.which(program)
    if found is None:
        raise NotInstalled(f"{package} has no {program}")
    return Path(found)


def from_npm(package: str, version: str) -> Path:
    """The program of that name. Raises NotInstalled."""
    folder = FOLDER / f"{package}-{version}"
    program = folder / "node_modules" / ".bin" / package
    if not program.exists():
        options = ("--no-audit", "--no-fund", "--prefix", str(folder))
        step("npm", "install", *options, f"{package}@{version}")
    return program


def python_of_peers() -> Path:
    """The interpreter of an environment with `requirements.txt`. Raises NotInstalled."""
    return environment(
        FOLDER / "python", sys.executable, "--requirement", str(REQUIREMENTS)
    )


def environment(folder: Path, python: str, *requirements: str) -> Path:
    """The interpreter of a virtual environment, made where it does not exist.

    Raises NotInstalled.
    """
    # Written last, so that an interrupted installation is repeated.
    stamp = folder / ".installed"
    wanted = "\n".join((*requirements, REQUIREMENTS.read_text()))
    interpreter = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        step(python, "-m", "venv", "--clear", str(folder))
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        step(str(interpreter), *pip, *requirements)
        stamp.write_text(wanted)
    return interpreter


def step(*command: str) -> None:
    try:
        finished = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from error
    if finished.returncode:
        lines = (finished.stderr or finished.stdout).strip().splitlines()
        raise NotInstalled(f"{' '.join(command)}: {lines[-1] if lines else 'failed'}")
