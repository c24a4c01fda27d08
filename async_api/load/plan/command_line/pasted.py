"""The requests of pasted curl commands, from the options of a command line."""

from typing import Any

from async_api.load.plan.bodies import read_file
from async_api.load.plan.command_line.given import Given
from async_api.load.plan.command_line.options import pasted_name
from async_api.load.plan.curl.request import Pasted, request_of
from async_api.load.plan.errors import InvalidPlan, PlanError, shown
from async_api.load.plan.limits import PlanLimits

# A body can be in a command, where its characters can be escaped.
MAX_COMMAND_BYTES = 1024 * 1024
# In place of a command with errors, so that those of the others are found too.
PLACEHOLDER = Pasted({"url": "http://example.invalid/"}, {}, ())


def pasted_requests(given: Given, limits: PlanLimits) -> list[Pasted]:
    """The commands in their order, those in files last; errors are kept in `given`."""
    commands: list[str | None] = [*given.get("curl", ())]
    commands += [_command_in(given, path) for path in given.get("curl_file", ())]
    return [
        PLACEHOLDER
        if command is None
        else _pasted(given, limits, command, pasted_name(place, given))
        for place, command in enumerate(commands, start=1)
    ]


def shared_conditions(given: Given, pasted: list[Pasted]) -> dict[str, Any]:
    """The conditions of all commands, which have to agree; errors are kept in `given`."""
    conditions: dict[str, Any] = {}
    for each in pasted:
        for condition, value in each.conditions.items():
            if conditions.setdefault(condition, value) != value:
                given.errors.append(
                    PlanError(
                        "--curl",
                        "",
                        f"one command has the {condition} {shown(value)}, and another "
                        f"{shown(conditions[condition])}; all requests of a plan have the "
                        "same conditions",
                    )
                )
    return conditions


def _command_in(given: Given, path: str) -> str | None:
    try:
        return read_file(path, MAX_COMMAND_BYTES).decode()
    except UnicodeDecodeError:
        given.refuse("curl_file", path, "is not text in UTF-8")
    except ValueError as error:
        given.refuse("curl_file", path, str(error))
    return None


def _pasted(given: Given, limits: PlanLimits, command: str, name: str) -> Pasted:
    try:
        return request_of(command, limits, files=True)
    except InvalidPlan as invalid:
        given.errors += [
            PlanError(name, error.value, error.message) for error in invalid.errors
        ]
        return PLACEHOLDER
