"""The benchmark of the load generator measures what it is asked for."""

import subprocess
import sys

import pytest

from benchmarks.load import EXPERIMENTS, parser


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *options],
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_part_is_not_written_into_the_document() -> None:
    done = run("--only", "rates", "--write")

    assert done.returncode == 2
    assert "requires a run of everything" in done.stderr


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_goal_can_be_measured_alone(name: str) -> None:
    assert parser().parse_args(["--only", name]).only == [name]


def test_an_ended_run_is_measured_and_judged() -> None:
    done = run("--only", "endings", "--rounds", "1")

    assert "A run of 100 connections ends early" in done.stdout, done.stderr
    assert "Sockets left: 0.00, goal at most 0: met" in done.stdout
    assert done.returncode == 0
