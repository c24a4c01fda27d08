"""The tier of a test: what it needs besides Python, derived from the names in its code.

The names in the code of a test, of its fixtures, and of the functions of `tests` and
`benchmarks` that they call, determine the first matching tier of this table:

| tier | needs |
|---|---|
| browser | a Chromium, the site and PostgreSQL |
| served | a server or another process, which may need PostgreSQL |
| postgres | PostgreSQL |
| unit | nothing |
"""

import contextlib
import functools
import inspect
import socket
import subprocess
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, NoReturn

import psycopg
import pytest

NAMES = {
    "browser": {"sync_playwright"},
    "served": {
        "bind",
        "create_server",
        "getfixturevalue",  # of a fixture that is only known at run time
        "ProcessPoolExecutor",
        "start_server",
        "subprocess",
        "uvicorn",
    },
    "postgres": {"new_database", "psycopg"},
}
TIERS = (*NAMES, "unit")
DATABASES = {"db", "django_db_setup", "postgres", "transactional_db"}
# Code with one of these names uses the tests' PostgreSQL.
ON_POSTGRES = {
    "getfixturevalue",
    "new_database",
    "psycopg",
    "Site",
    "start_managing",
}
WALKED = ("benchmarks", "tests")


def tier_of(item: pytest.Function) -> str:
    """The tier in the test's marker, or else the one derived from its code."""
    marked = [tier for tier in TIERS if item.get_closest_marker(tier)]
    if len(marked) > 1:
        raise pytest.UsageError(f"{item.nodeid} is in two tiers: {', '.join(marked)}")
    if marked:
        return marked[0]
    asked = mentioned_by(item)
    for tier, names in NAMES.items():
        if asked & names:
            return tier
    return "postgres" if asks_for_database(item) else "unit"


def needs_postgres(item: pytest.Function) -> bool:
    return asks_for_database(item) or bool(mentioned_by(item) & ON_POSTGRES)


def asks_for_database(item: pytest.Function) -> bool:
    marked = item.get_closest_marker("django_db") is not None
    return marked or not DATABASES.isdisjoint(item.fixturenames)


def mentioned_by(item: pytest.Function) -> set[str]:
    """All names in the code of a test, its fixtures, and the functions that they call."""
    definitions = item._fixtureinfo.name2fixturedefs.values()
    functions = (item.function, *(each[-1].func for each in definitions))
    return set().union(*map(names_within, functions))


@functools.cache
def names_within(function: Any) -> set[str]:
    found: set[str] = set()
    walk(function, found, set())
    return found


def walk(value: Any, found: set[str], seen: set[int]) -> None:
    module = getattr(value, "__module__", None) or ""
    if module.partition(".")[0] not in WALKED:
        return
    value = inspect.unwrap(value)
    if id(value) in seen:
        return
    seen.add(id(value))
    if inspect.isclass(value):
        for member in vars(value).values():
            walk(getattr(member, "fget", member), found, seen)
    elif inspect.isfunction(value):
        names = set(names_of(value.__code__))
        found |= names
        for name in names & set(value.__globals__):
            walk(value.__globals__[name], found, seen)


def names_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_of(constant)


@contextlib.contextmanager
def nothing_but_python() -> Iterator[None]:
    """Fails any code that starts a process, listens, or connects to PostgreSQL."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (subprocess.Popen, "__init__"),
            (socket.socket, "bind"),
            (psycopg.Connection, "connect"),
            (psycopg.AsyncConnection, "connect"),
        ):
            patch.setattr(owner, name, refusal(f"{owner.__name__}.{name}"))
        yield


def refusal(what: str) -> Callable[..., NoReturn]:
    def refuse(*arguments: object, **named: object) -> NoReturn:
        pytest.fail(f"A unit test must not call {what}.")

    return refuse
