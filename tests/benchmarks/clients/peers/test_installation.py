"""A peer is installed once, and one that cannot be installed is named."""

from pathlib import Path

import pytest

from benchmarks.clients.peers.installation import (
    NotInstalled,
    environment,
    from_debian,
    step,
)


def test_a_program_that_is_there_is_not_installed_again() -> None:
    assert from_debian("sh", "no-package-of-that-name").name == "sh"


def test_a_step_that_fails_is_named_with_its_last_words() -> None:
    with pytest.raises(NotInstalled, match="^sh -c .*: the reason$"):
        step("sh", "-c", "echo first >&2; echo the reason >&2; exit 1")


def test_a_step_whose_program_is_missing_is_named() -> None:
    with pytest.raises(NotInstalled, match="no-program-of-that-name"):
        step("no-program-of-that-name")


def test_an_environment_is_made_again_only_for_other_requirements(
    tmp_path: Path,
) -> None:
    # A stand-in for Python, whose `-m venv` makes a folder with itself in it.
    python = tmp_path / "python"
    log = tmp_path / "log"
    python.write_text(
        f'#!/bin/sh\necho "$*" >> {log}\nfor last; do :; done\n'
        'test "$2" = venv && mkdir -p "$last/bin" && cp "$0" "$last/bin/python"\n'
        "exit 0\n"
    )
    python.chmod(0o755)

    for requirement in ("one==1", "one==1", "one==2"):
        environment(tmp_path / "folder", str(python), requirement)

    installed = [line for line in log.read_text().splitlines() if " install " in line]
    assert [line.split()[-1] for line in installed] == ["one==1", "one==2"]
