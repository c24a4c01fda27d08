"""The options of a command line that describe a plan, and where errors name them."""

import argparse
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from async_api.load.plan.budgets import EXAMPLES

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})

# For each option of a plan's parts, its destination and the member that it sets. An error
# at a member, or within it, is one of the option.
REQUEST = {
    "url": "URL",
    "method": "--method",
    "headers": "--header",
    "body.text": "--data",
    "body.json": "--data-json",
    "body.file": "--data-file",
    "body": "--data, --data-json or --data-file",
    "authentication.bearer": "--bearer",
    "authentication.user": "--user",
    "authentication.password": "--user",
    "authentication": "--bearer or --user",
    "checks.statuses": "--expect-status",
    "checks.contains": "--expect-text",
    "checks.matches": "--expect-match",
    "checks.header": "--expect-header",
    "checks": "--expect-size",
}
PLAN = {
    "requests": "URL",
    "load.connections": "--connections",
    "load.requests": "--requests",
    "load.seconds": "--seconds",
    "load.rate": "--rate",
    "load.values": "--steps",
    "load.of": "--step-of",
    "load.spacing": "--poisson",
    "load.seed": "--seed",
    "conditions.keep_alive": "--no-keep-alive",
    "conditions.connect_first": "--connect-on-demand",
    "conditions.ip": "--ipv4 or --ipv6",
    "conditions.connect_seconds": "--connect-timeout",
    "conditions.response_seconds": "--timeout",
    "conditions.deadline_seconds": "--deadline",
    "conditions.warm_up_seconds": "--warm-up",
    "conditions.insecure": "--insecure",
    "conditions.ca_file": "--ca-file",
    "conditions": "--insecure or --ca-file",
    "budgets": "--budget",
}

_REQUEST = re.compile(r"requests\[(\d+)\]\.?(.*)")


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options, whose values `plan_document` reads; none has a default."""
    parser.add_argument("url", metavar="URL", nargs="?", help="where requests go")
    _add_request_options(
        parser.add_argument_group(
            "request",
            "A value that is a secret can be read from a file, so that no list of "
            "processes shows it: @FILE in place of a header, a token or a user.",
        )
    )
    _add_load_options(parser.add_argument_group("load"))
    _add_condition_options(parser.add_argument_group("conditions"))
    _add_check_options(
        parser.add_argument_group("checks", "A response that fails one has failed.")
    )
    plan = parser.add_argument_group("whole plans and pasted requests")
    plan.add_argument(
        "--plan",
        metavar="FILE",
        help="a JSON document of a plan, - for the standard input; replaces the options",
    )
    plan.add_argument(
        "--curl",
        action="append",
        metavar="COMMAND",
        help="a curl command, as one argument; each adds a request",
    )
    plan.add_argument(
        "--curl-file",
        action="append",
        metavar="FILE",
        help="a file with a curl command; each adds a request",
    )


def option_of(location: str, options: Mapping[str, Any] = NO_OPTIONS) -> str:
    """The option that an error's location is about, such as ``--rate`` for ``load.rate``.

    `options` are those given: where the plan is from a file or a value from curl, the
    location is kept, because it is not one of an option.
    """
    if options.get("plan") or not location:
        return location
    if found := _REQUEST.fullmatch(location):
        index, member = int(found[1]), found[2]
        if options.get("url") is None and pasted(options):
            index += 1
        if index and not member.startswith("checks"):
            return f"{pasted_name(index, options)} {member}".rstrip()
        return _nearest(member, REQUEST) or "URL"
    if location == "requests" and pasted(options):
        return "--curl"
    if location == "load":
        named = [each for each in ("steps", "rate", "requests") if options.get(each)]
        return f"--{named[0]}" if named else "--seconds"
    option = _nearest(location, PLAN)
    if location.startswith("conditions") and pasted(options):
        if options.get(option.removeprefix("--").replace("-", "_")) is None:
            return f"--curl {location}"
    return option or location


def pasted(options: Mapping[str, Any]) -> bool:
    return bool(options.get("curl") or options.get("curl_file"))


def pasted_name(number: int, options: Mapping[str, Any]) -> str:
    """The option of a pasted command; they are numbered from 1, where there are several."""
    commands = len(options.get("curl") or ())
    files = len(options.get("curl_file") or ())
    name = "--curl" if number <= commands or not files else "--curl-file"
    return name if commands + files <= 1 else f"{name} ({number} of {commands + files})"


def _nearest(location: str, names: Mapping[str, str]) -> str:
    """The name of the member, or else of the object that it is in."""
    location = re.sub(r"\[\d+\]", "", location)
    while location and location not in names:
        location = location.rpartition(".")[0]
    return names.get(location, "")


class Group(Protocol):
    """Options under one heading, as argparse keeps them."""

    def add_argument(self, *names: str, **details: Any) -> argparse.Action: ...

    def add_mutually_exclusive_group(self) -> "Group": ...


def _add_request_options(group: Group) -> None:
    group.add_argument("--method", "-X", help="GET, or POST with a body, by default")
    group.add_argument(
        "--header",
        "-H",
        action="append",
        metavar="'NAME: VALUE'",
        help="a header; @FILE reads one from each line, which are secret",
    )
    body = group.add_mutually_exclusive_group()
    body.add_argument("--data", metavar="TEXT", help="the body as text")
    body.add_argument(
        "--data-json", metavar="JSON", help="the body as JSON, which sets Content-Type"
    )
    body.add_argument("--data-file", metavar="FILE", help="a file with the body")
    authentication = group.add_mutually_exclusive_group()
    authentication.add_argument(
        "--bearer", metavar="TOKEN", help="a bearer token, or @FILE"
    )
    authentication.add_argument(
        "--user", metavar="USER:PASSWORD", help="for basic authentication, or @FILE"
    )


def _add_load_options(group: Group) -> None:
    group.add_argument(
        "--requests", "-n", metavar="N", help="end after so many requests"
    )
    group.add_argument(
        "--seconds",
        "-s",
        metavar="S",
        help="end after so many seconds, or hold each step as long (default: 10)",
    )
    group.add_argument(
        "--connections",
        "-c",
        metavar="C",
        help="how many connections (default: 10), or with a rate, how many at most "
        "(default: 64)",
    )
    group.add_argument(
        "--rate",
        "-r",
        metavar="R",
        help="requests per second, whatever the target does",
    )
    group.add_argument(
        "--steps", metavar="R,R,…", help="several rates, one after another"
    )
    group.add_argument(
        "--step-of",
        choices=("rate", "connections"),
        help="what --steps are (default: rate)",
    )
    group.add_argument(
        "--poisson",
        action="store_true",
        default=None,
        help="random gaps, as of independent users, in place of even ones",
    )
    group.add_argument("--seed", metavar="N", help="of the random gaps (default: 0)")


def _add_condition_options(group: Group) -> None:
    for name, text in (
        ("--no-keep-alive", "a new connection for each request"),
        ("--connect-on-demand", "open connections only when they are needed"),
    ):
        group.add_argument(name, action="store_true", default=None, help=text)
    version = group.add_mutually_exclusive_group()
    for version_of_ip in ("4", "6"):
        version.add_argument(
            f"--ipv{version_of_ip}",
            action="store_true",
            default=None,
            help=f"connect over IPv{version_of_ip} only",
        )
    for name, text in (
        ("--connect-timeout", "to open a connection (default: 5)"),
        ("--timeout", "from the send to the last byte (default: 30)"),
        ("--deadline", "after its planned time, a request that is not sent is shed"),
        ("--warm-up", "at the start, whose requests are excluded"),
    ):
        group.add_argument(name, metavar="S", help=f"seconds {text}")
    certificates = group.add_mutually_exclusive_group()
    certificates.add_argument(
        "--insecure",
        "-k",
        action="store_true",
        default=None,
        help="accept any certificate",
    )
    certificates.add_argument(
        "--ca-file", metavar="FILE", help="trust the certificates in a file"
    )


def _add_check_options(group: Group) -> None:
    group.add_argument(
        "--expect-status",
        metavar="S,S,…",
        help="statuses: 200, 200-299 or 2xx (default: all below 400)",
    )
    group.add_argument("--expect-text", metavar="TEXT", help="the body contains this")
    group.add_argument(
        "--expect-match", metavar="REGEX", help="this is found in the body"
    )
    group.add_argument(
        "--expect-header", metavar="NAME", help="the response has this header"
    )
    group.add_argument(
        "--expect-size",
        metavar="MIN-MAX",
        help="the size of the body in bytes; either end can be left out",
    )
    group.add_argument(
        "--budget",
        action="append",
        metavar="LIMIT",
        help=f"such as {EXAMPLES}".replace("%", "%%"),
    )
