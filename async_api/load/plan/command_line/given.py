"""The options that are given, and what is wrong with them."""

import re
from collections.abc import Mapping
from typing import Any

from async_api.load.plan.errors import PlanError, shown

REQUEST_OPTIONS = (
    "method",
    "header",
    "data",
    "data_json",
    "data_file",
    "bearer",
    "user",
)
LOAD_OPTIONS = (
    "requests",
    "seconds",
    "connections",
    "rate",
    "steps",
    "step_of",
    "poisson",
    "seed",
)
CONDITION_OPTIONS = (
    "no_keep_alive",
    "connect_on_demand",
    "ipv4",
    "ipv6",
    "connect_timeout",
    "timeout",
    "deadline",
    "warm_up",
    "insecure",
    "ca_file",
)
CHECK_OPTIONS = (
    "expect_status",
    "expect_text",
    "expect_match",
    "expect_header",
    "expect_size",
)
PLAN_OPTIONS = (
    "url",
    *REQUEST_OPTIONS,
    *LOAD_OPTIONS,
    *CONDITION_OPTIONS,
    *CHECK_OPTIONS,
    "budget",
    "curl",
    "curl_file",
)

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


class Given(dict[str, Any]):
    """The values of the options that are given, by their destinations."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(
            (name, options[name])
            for name in PLAN_OPTIONS
            if options.get(name) is not None and options[name] is not False
        )
        self.errors: list[PlanError] = []

    def refuse(self, name: str, value: object, message: str) -> None:
        """Adds an error about an option, with its value unless that is None."""
        text = "" if value is None else shown(value)
        self.errors.append(PlanError(option(name), text, message))

    def number(self, name: str) -> int | float | str:
        return number(str(self[name]))


def option(name: str) -> str:
    """The option of a destination."""
    return "URL" if name == "url" else "--" + name.replace("_", "-")


def number(text: str) -> int | float | str:
    """A number as JSON has it, or the text, which `read_plan` refuses."""
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdecimal() else float(text)
