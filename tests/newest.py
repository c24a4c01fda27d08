"""Runs the tests with the newest releases and writes the failures to docs/newest.md.

`make test-newest` runs it in a separate environment. With the argument `requirements` it
prints the names of the packages to install there; other arguments are passed to pytest.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "newest.md"
# Linters, which no test imports.
LINTERS = {"django-stubs", "mypy", "ruff", "types-psutil"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MAX_REASON_LENGTH = 200


def pinned() -> Iterator[tuple[str, str]]:
    """Each direct requirement, with its extras, and its version."""
    for file in ("requirements.txt", "tests/requirements.txt"):
        chosen = (ROOT / file).read_text().split("# What those need.")[0]
        for name, pin in re.findall(r"^([\w\[\]-]+)==(\S+)$", chosen, re.MULTILINE):
            if name not in LINTERS:
                yield name, pin


def broken(report: Path) -> Counter[tuple[str, str]]:
    """The number of failed tests by file and reason."""
    found: Counter[tuple[str, str]] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        for kind in ("failure", "error"):
            if (element := case.find(kind)) is not None:
                message = element.get("message", "").splitlines()
                reason = message[0].replace(f"{ROOT}/", "") if message else kind
                file = case.get("classname", "").replace(".", "/")
                found[file, reason[:MAX_REASON_LENGTH].replace("|", "\\|")] += 1
    return found


def page(arguments: list[str], found: Counter[tuple[str, str]], ran: str) -> str:
    command = " ".join(["pytest", *arguments])
    installed = ", ".join(each for each in PYTHONS if shutil.which(f"python{each}"))
    lines = [
        "# Newest releases",
        "",
        "What breaks on the newest releases of the packages that the site and its tests",
        "use. Written by `make test-newest`.",
        "",
        f"Python {platform.python_version()}; `{command}`: {ran}.",
        f"Installed on that machine, of 3.11 to 3.14: {installed or 'none by name'}.",
        "",
        "| package | pinned | newest |",
        "|---|---|---|",
    ]
    for name, pin in pinned():
        newest = version(name.partition("[")[0])
        shown = "the same" if newest == pin else f"**{newest}**"
        lines.append(f"| {name} | {pin} | {shown} |")
    lines += ["", "## What breaks", ""]
    if not found:
        lines.append("Nothing in the tests that were run.")
    else:
        lines += ["| where | tests | reason |", "|---|---|---|"]
        lines += [
            f"| {file} | {count} | {reason} |"
            for (file, reason), count in sorted(found.items())
        ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    if arguments == ["requirements"]:
        print(*(name for name, _ in pinned()), sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        # Deprecation warnings are not failures here.
        options = ["-W", "default", f"--junit-xml={report}", *arguments]
        status = subprocess.run(
            [sys.executable, "-m", "pytest", *options], cwd=ROOT, env=os.environ
        ).returncode
        if not report.exists():
            return status
        suites = ElementTree.parse(report).iter("testsuite")
        total = sum(int(suite.get("tests", "0")) for suite in suites)
        found = broken(report)
        ran = f"{total} tests, {sum(found.values())} of which fail"
        PAGE.write_text(page(arguments, found, ran))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
