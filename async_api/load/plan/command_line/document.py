"""The options of a command line make a document, which is read as every document is.

One validator serves both: what is wrong with a value, `read_plan` says.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from async_api.load.plan.bodies import read_file
from async_api.load.plan.command_line.given import (
    REQUEST_OPTIONS,
    Given,
    number,
    option,
)
from async_api.load.plan.command_line.options import option_of
from async_api.load.plan.command_line.pasted import pasted_requests, shared_conditions
from async_api.load.plan.command_line.request import request_document
from async_api.load.plan.document import parse_document, read_plan
from async_api.load.plan.errors import InvalidPlan, PlanError, shown
from async_api.load.plan.limits import PlanLimits
from async_api.load.plan.plan import Plan

DEFAULT_SECONDS = 10
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
SECONDS = {
    "connect_timeout": "connect_seconds",
    "timeout": "response_seconds",
    "deadline": "deadline_seconds",
    "warm_up": "warm_up_seconds",
}

_SIZES = re.compile(r"([0-9]{0,20})-([0-9]{0,20})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A plan, and sentences on what is not as the curl commands in it would do it."""

    plan: Plan
    warnings: tuple[str, ...]


def read_options(
    options: Mapping[str, Any], limits: PlanLimits, stdin: BinaryIO | None = None
) -> Asked:
    """The plan of the options; raises InvalidPlan, whose errors name the options.

    `options` are the values of `add_plan_options` by their destinations, where None is an
    option that is not given. `stdin` is read for ``--plan -``; None for that of the process.
    """
    document, warnings, errors = _read(options, limits, stdin)
    try:
        plan = read_plan(document, limits, files=True)
    except InvalidPlan as invalid:
        named = {error.location for error in errors}
        for error in invalid.errors:
            error = replace(error, location=option_of(error.location, options))
            # What is wrong with all requests, or because of another error, is said once.
            if error not in errors and error.location not in named:
                errors.append(error)
        raise InvalidPlan(errors) from invalid
    if errors:
        raise InvalidPlan(errors)
    return Asked(plan, warnings)


def plan_document(
    options: Mapping[str, Any], limits: PlanLimits, stdin: BinaryIO | None = None
) -> object:
    """The document of the options, as `read_plan` takes it; raises InvalidPlan.

    The values in it are not validated yet.
    """
    document, _, errors = _read(options, limits, stdin)
    if errors:
        raise InvalidPlan(errors)
    return document


def _read(
    options: Mapping[str, Any], limits: PlanLimits, stdin: BinaryIO | None
) -> tuple[object, tuple[str, ...], list[PlanError]]:
    given = Given(options)
    if (path := options.get("plan")) is not None:
        return _document_in(path, given, stdin or sys.stdin.buffer), (), []
    pasted = pasted_requests(given, limits)
    requests = [each.request for each in pasted]
    if "url" in given:
        requests.insert(0, request_document(given))
    else:
        for name in REQUEST_OPTIONS:
            if name in given:
                given.refuse(name, None, "needs a URL, which is missing")
        if "curl" not in given and "curl_file" not in given:
            given.refuse("url", None, "is missing; give a URL, --curl or --plan")
    if checks := _checks(given):
        requests = [request | {"checks": checks} for request in requests]
    document: dict[str, Any] = {"requests": requests, "load": _load(given)}
    if conditions := shared_conditions(given, pasted) | _conditions(given):
        document["conditions"] = conditions
    if "budget" in given:
        document["budgets"] = given["budget"]
    warnings = tuple(text for each in pasted for text in each.warnings)
    return document, warnings, given.errors


def _document_in(path: str, given: Given, stdin: BinaryIO) -> object:
    if given:
        raise InvalidPlan(
            [
                PlanError(
                    option(name),
                    "",
                    "cannot be given with --plan; put it into the plan",
                )
                for name in given
            ]
        )
    if path == "-":
        return parse_document(stdin.read())
    try:
        text = read_file(path, MAX_DOCUMENT_BYTES)
    except ValueError as error:
        raise InvalidPlan([PlanError("--plan", shown(path), str(error))]) from error
    return parse_document(text)


def _load(given: Given) -> dict[str, Any]:
    if "steps" in given:
        load: dict[str, Any] = {
            "kind": "steps",
            "of": given.get("step_of", "rate"),
            "values": [number(text) for text in given["steps"].split(",")],
        }
        _refuse_with(given, "--steps", "rate", "requests")
    elif "rate" in given:
        load = {"kind": "rate", "rate": given.number("rate")}
        _refuse_with(given, "--rate", "requests", "step_of")
    else:
        load = {"kind": "closed"}
        for name in ("poisson", "seed", "step_of"):
            if name in given:
                needed = "--steps" if name == "step_of" else "--rate or --steps"
                given.refuse(name, None, f"needs {needed}")
    for name in ("connections", "seconds"):
        if name in given:
            load[name] = given.number(name)
    if load["kind"] == "closed" and "requests" in given:
        load["requests"] = given.number("requests")
    else:
        load.setdefault("seconds", DEFAULT_SECONDS)
    if "poisson" in given:
        load["spacing"] = "poisson"
    if "seed" in given:
        load["seed"] = given.number("seed")
    return load


def _refuse_with(given: Given, other: str, *names: str) -> None:
    for name in names:
        if name in given:
            given.refuse(name, None, f"cannot be given with {other}; give one of them")


def _conditions(given: Given) -> dict[str, Any]:
    conditions: dict[str, Any] = {
        member: given.number(name) for name, member in SECONDS.items() if name in given
    }
    if "no_keep_alive" in given:
        conditions["keep_alive"] = False
    if "connect_on_demand" in given:
        conditions["connect_first"] = False
    for version in ("4", "6"):
        if f"ipv{version}" in given:
            conditions["ip"] = version
    if "insecure" in given:
        conditions["insecure"] = True
    if "ca_file" in given:
        conditions["ca_file"] = given["ca_file"]
    return conditions


def _checks(given: Given) -> dict[str, Any]:
    checks: dict[str, Any] = {
        member: given[name]
        for name, member in (
            ("expect_text", "contains"),
            ("expect_match", "matches"),
            ("expect_header", "header"),
        )
        if name in given
    }
    if "expect_status" in given:
        checks["statuses"] = [
            text.strip() for text in given["expect_status"].split(",")
        ]
    if "expect_size" in given:
        sizes = _SIZES.fullmatch(given["expect_size"])
        if sizes is None or sizes.group() == "-":
            given.refuse(
                "expect_size",
                given["expect_size"],
                "must be MIN-MAX, MIN- or -MAX, in bytes",
            )
        else:
            for member, digits in zip(
                ("minimum_bytes", "maximum_bytes"), sizes.groups(), strict=True
            ):
                if digits:
                    checks[member] = int(digits)
    return checks
