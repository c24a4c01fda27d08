"""docs/load.md agrees with the code."""

import argparse
import re

import pytest
from django.core.management.base import CommandParser

from async_api.drawing.duration import duration
from async_api.load.result import thresholds
from async_api.load.result.exit_status import ExitStatus
from async_api.load.result.formats.document import result_document
from async_api.load.result.measurement import measure
from async_api.load.result.verdict import judge
from async_api.management.commands.load import Command
from tests.async_api.load.result.runs import steady
from tests.support.site import ROOT

PAGE = (ROOT / "docs" / "load.md").read_text()
RESULT = ROOT / "async_api" / "load" / "result"
REASON = re.compile(r"^\| `(\w+)` \| (INVALID|SUSPECT) \| .+? \| (.*?) ?\|$", re.M)


def test_every_reason_of_the_verdict_is_in_the_page() -> None:
    code = "".join(path.read_text() for path in RESULT.glob("*.py"))
    given = set(re.findall(r'\bcode="(\w+)"', code))

    assert {code for code, _, _ in REASON.findall(PAGE)} == given


def share(value: float) -> str:
    return f"{value * 100:g} %"


@pytest.mark.parametrize(
    ("code", "severity", "said"),
    [
        (
            "plan_not_kept",
            "INVALID",
            [share(thresholds.LATE_SHARE), duration(thresholds.LATE)],
        ),
        ("generator_cpu", "INVALID", [share(thresholds.OCCUPIED_INVALID)]),
        ("generator_cpu", "SUSPECT", [share(thresholds.OCCUPIED_SUSPECT)]),
        ("generator_cpu_seconds", "SUSPECT", [share(thresholds.BUSY_SECONDS_SHARE)]),
        (
            "lateness",
            "SUSPECT",
            [duration(thresholds.LATENESS_SUSPECT), share(thresholds.LATENESS_SHARE)],
        ),
        ("garbage_collection", "SUSPECT", [share(thresholds.COLLECTING_SHARE)]),
        (
            "lag",
            "SUSPECT",
            [share(thresholds.LAG_SHARE), duration(thresholds.LAG_TOLERATED)],
        ),
        ("steal", "SUSPECT", [share(thresholds.STEAL_SHARE)]),
        ("drift", "SUSPECT", [share(thresholds.DRIFT_SHARE)]),
        ("warm_up_too_short", "SUSPECT", [share(thresholds.WARM_UP_SHARE)]),
        ("few_samples", "SUSPECT", [str(thresholds.SAMPLES)]),
    ],
)
def test_the_page_has_the_thresholds(code: str, severity: str, said: list[str]) -> None:
    [threshold] = [
        text
        for named, of, text in REASON.findall(PAGE)
        if (named, of) == (code, severity)
    ]

    for each in said:
        assert re.search(rf"\b{re.escape(each)}", threshold), each


def test_the_page_has_every_exit_status() -> None:
    listed = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)

    assert {*map(int, listed)} == {*ExitStatus, 130}


def test_the_page_names_only_options_of_the_command() -> None:
    parser = CommandParser()
    Command().add_arguments(parser)
    options = {
        option
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction)
        for option in action.option_strings
    }

    named = set(re.findall(r"`(?:[^`\n]* )?(--?[a-z][a-z-]*)", PAGE))
    assert named - {"--help"} <= options


def test_the_page_lists_the_members_of_the_json() -> None:
    run = steady(10, 1)
    found = measure(run)
    document = result_document(run, found, judge(run, found), ())
    table = PAGE.rpartition("| member | |")[2]
    rows = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)

    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert listed == {*document, "plan"}
