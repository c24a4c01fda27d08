"""The command for a plan, read back."""

import ast
import shlex
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given

from async_api.load.plan.command_line.command import command_of
from async_api.load.plan.document import read_plan
from async_api.load.plan.plan import Plan
from tests.async_api.load.plan.command_line.parsing import read
from tests.async_api.load.plan.plans import (
    DOCUMENTS,
    LIMITS,
    URL,
    document,
    unhurried,
    with_request,
)

HERE = " --plan - <<'PLAN'\n"


def read_command(command: str) -> Plan:
    """The plan of a command as a POSIX shell runs it."""
    before, here, text = command.partition(HERE)
    words = shlex.split(before)
    assert words[:3] == ["python", "manage.py", "load"]
    if not here:
        return read(*words[3:]).plan
    assert text.endswith("\nPLAN")
    assert "\nPLAN" not in text[:-1].removesuffix("\nPLA")
    return read("--plan", "-", stdin=text.removesuffix("PLAN").encode()).plan


@unhurried
@given(DOCUMENTS)
def test_the_command_for_a_plan_asks_for_an_equal_plan(asked: dict[str, Any]) -> None:
    plan = read_plan(asked, LIMITS)

    assert read_command(command_of(plan)) == plan


@unhurried
@given(DOCUMENTS)
def test_a_plan_of_one_plain_request_is_written_with_options(
    asked: dict[str, Any],
) -> None:
    [request, *_] = asked["requests"]
    if "headers" in request:
        request["headers"] = [each for each in request["headers"] if type(each) is list]
    request |= {"body": {"text": "a 'b'"}, "weight": 1}
    if "\0" in request.get("checks", {}).get("contains", ""):
        del request["checks"]
    plan = read_plan(asked | {"requests": [request]}, LIMITS)

    command = command_of(plan)

    assert "--plan" not in command
    assert read_command(command) == plan


def test_a_command_has_only_what_is_not_a_default() -> None:
    plan = read_plan(document(), LIMITS)

    assert command_of(plan) == f"python manage.py load {shlex.quote(URL)} -c 2 -n 10"
    assert command_of(plan, "load").startswith("load 'http://")


@pytest.mark.parametrize("weight", [1, 2])
def test_a_shell_reads_the_command_as_it_is_meant(weight: int) -> None:
    asked = with_request(
        headers=[["A", 'it\'s $HOME `x` \\ "q" *']],
        body={"text": "-a\nPLAN\n!é\t'\\''"},
        weight=weight,
    )
    plan = read_plan(asked, LIMITS)
    shown = "import sys; print([sys.argv[1:], sys.stdin.buffer.read()], end='')"

    done = subprocess.run(
        ["bash", "-c", command_of(plan, f'{shlex.quote(sys.executable)} -c "{shown}"')],
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )

    words, stdin = ast.literal_eval(done.stdout.decode())
    assert read(*words, stdin=stdin).plan == plan


@pytest.mark.parametrize(
    "members",
    [
        {"name": "mine"},
        {"weight": 2},
        {"headers": [{"name": "A", "value": "b", "secret": True}]},
        {"body": {"base64": "/w=="}},
        {"body": {"text": "a\0b"}},
        {"checks": {"contains": "a\0b"}},
    ],
)
def test_what_options_cannot_express_is_a_document(members: dict[str, Any]) -> None:
    plan = read_plan(with_request(**members), LIMITS)

    assert HERE in command_of(plan)
    assert read_command(command_of(plan)) == plan
