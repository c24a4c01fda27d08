"""The command that asks for a plan: with options, or with the document as its input."""

import json
import shlex
from collections.abc import Iterator

from async_api.load.plan.document import write_plan
from async_api.load.plan.headers import is_secret
from async_api.load.plan.members.statuses import written_statuses
from async_api.load.plan.plan import (
    Checks,
    Closed,
    Conditions,
    Load,
    Plan,
    Rate,
    Request,
)
from async_api.load.plan.requests import default_name

PROGRAM = "python manage.py load"


def command_of(plan: Plan, program: str = PROGRAM) -> str:
    """A command of a POSIX shell that asks for an equal plan, secrets included.

    A plan that options cannot express, such as one of several requests, is written as a
    JSON document in a here-document, which ``--plan -`` reads.
    """
    if not _has_options(plan):
        document = json.dumps(write_plan(plan), indent=2)
        return f"{program} --plan - <<'PLAN'\n{document}\nPLAN"
    [request] = plan.requests
    words = [
        str(request.target),
        *_request_options(request),
        *_load_options(plan.load),
        *_condition_options(plan.conditions),
        *_check_options(request.checks),
        *(word for text in plan.budgets for word in _option("--budget", text)),
    ]
    return f"{program} {' '.join(map(shlex.quote, words))}"


def _has_options(plan: Plan) -> bool:
    if len(plan.requests) != 1:
        return False
    [request] = plan.requests
    return (
        request.name == default_name(request.method, request.target)
        and request.weight == 1
        and all(header.secret == is_secret(header.name) for header in request.headers)
        and _is_argument(request.body)
        and _is_argument(request.checks.contains.encode())
        and _is_argument(request.checks.matches.encode())
    )


def _is_argument(content: bytes) -> bool:
    """Whether a word of a command can be it."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _request_options(request: Request) -> Iterator[str]:
    if request.method != ("POST" if request.body else "GET"):
        yield from _option("-X", request.method)
    for header in request.headers:
        yield from _option("-H", f"{header.name}: {header.value}")
    if request.body:
        yield from _option("--data", request.body.decode())


def _load_options(load: Load) -> Iterator[str]:
    if isinstance(load, Closed):
        yield from ("-c", str(load.connections))
        if load.requests is not None:
            yield from ("-n", str(load.requests))
        else:
            yield from ("-s", _written(load.seconds or 0))
        return
    if isinstance(load, Rate):
        yield from ("-r", _written(load.rate), "-s", _written(load.seconds))
    else:
        yield from ("--steps", ",".join(map(_written, load.values)))
        yield from ("--step-of", load.of, "-s", _written(load.seconds))
        if load.of == "connections":
            return
    yield from ("-c", str(load.connections))
    if load.spacing == "poisson":
        yield from ("--poisson", "--seed", str(load.seed))


def _condition_options(conditions: Conditions) -> Iterator[str]:
    default = Conditions()
    if not conditions.keep_alive:
        yield "--no-keep-alive"
    if not conditions.connect_first:
        yield "--connect-on-demand"
    if conditions.ip != "either":
        yield f"--ipv{conditions.ip}"
    if conditions.connect_seconds != default.connect_seconds:
        yield from ("--connect-timeout", _written(conditions.connect_seconds))
    if conditions.response_seconds != default.response_seconds:
        yield from ("--timeout", _written(conditions.response_seconds))
    if conditions.deadline_seconds is not None:
        yield from ("--deadline", _written(conditions.deadline_seconds))
    if conditions.warm_up_seconds:
        yield from ("--warm-up", _written(conditions.warm_up_seconds))
    if conditions.insecure:
        yield "--insecure"
    if conditions.ca_file:
        yield from _option("--ca-file", conditions.ca_file)


def _check_options(checks: Checks) -> Iterator[str]:
    if checks.statuses is not None:
        statuses = ",".join(map(str, written_statuses(checks.statuses)))
        yield from _option("--expect-status", statuses)
    for option, text in (
        ("--expect-text", checks.contains),
        ("--expect-match", checks.matches),
        ("--expect-header", checks.header),
    ):
        if text:
            yield from _option(option, text)
    sizes = (checks.minimum_bytes, checks.maximum_bytes)
    if sizes != (None, None):
        written = "-".join("" if size is None else str(size) for size in sizes)
        yield from _option("--expect-size", written)


def _option(option: str, value: str) -> tuple[str, ...]:
    """Joined where argparse would take the value for an option."""
    if not value.startswith("-"):
        return option, value
    return (f"{option}={value}" if option.startswith("--") else f"{option}{value}",)


def _written(number: float) -> str:
    return repr(number).removesuffix(".0")
