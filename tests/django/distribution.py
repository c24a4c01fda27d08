"""Django's own tests, from the source distribution of the installed version."""

import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory


class DistributionMissing(Exception):
    """Django's source distribution cannot be downloaded, or is not the right one."""


def tests(version: str, directory: Path) -> Path:
    """The directory of the tests of Django `version`, kept in `directory`.

    Downloads the distribution, 11 MB, if it is not there. Raises DistributionMissing.
    """
    unpacked = directory / "tests"
    if not unpacked.exists():
        directory.mkdir(parents=True, exist_ok=True)
        archive = directory / f"django-{version}.tar.gz"
        if not archive.exists():
            _download(version, directory)
        _unpack(archive, version, unpacked)
    return unpacked


def _download(version: str, directory: Path) -> None:
    # To read its metadata, pip builds what it downloads, in a temporary environment.
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        + ["--disable-pip-version-check", "--no-binary=Django"]
        + [f"--dest={directory}", f"Django=={version}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if pip.returncode:
        raise DistributionMissing(
            f"pip cannot download the source of Django {version}:\n{pip.stdout}"
        )


def _unpack(archive: Path, version: str, unpacked: Path) -> None:
    """Unpacks the tests only, and renames them when they are complete."""
    with TemporaryDirectory(dir=archive.parent) as unfinished:
        content = Path(unfinished, f"django-{version}")
        wanted = (f"{content.name}/tests/", f"{content.name}/PKG-INFO")
        try:
            with tarfile.open(archive) as tar:
                # Python before 3.11.4 has no filters.
                tar.extraction_filter = getattr(
                    tarfile, "data_filter", lambda member, path: member
                )
                members = [member for member in tar if member.name.startswith(wanted)]
                tar.extractall(unfinished, members)
            found = _version(content / "PKG-INFO")
        except (OSError, EOFError, tarfile.TarError) as error:
            raise DistributionMissing(
                f"{archive} cannot be unpacked, remove it: {error}"
            ) from error
        if found != version:
            raise DistributionMissing(f"{archive} is Django {found}, not {version}.")
        (content / "tests").rename(unpacked)


def _version(package_information: Path) -> str:
    """The version in its `Version` line, which every PKG-INFO has.

    https://packaging.python.org/en/latest/specifications/core-metadata/
    """
    lines = package_information.read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if line.startswith("Version: ")]
    return versions[0].removeprefix("Version: ") if versions else "without a version"
