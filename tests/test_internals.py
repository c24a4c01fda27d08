"""The lists of other packages' internals are complete and up to date."""

import ast
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from async_views.runtime.handler.middleware_loader import WRITTEN_FOR
from tests.support.site import ROOT

LISTS = [
    ROOT / room / "README.md"
    for room in (
        "async_views/runtime/server",
        "async_views/runtime/handler",
        "async_views/runtime/postgres",
        "async_api/probe/wire",
        "catalog/access",
        "catalog/admin",
        "catalog/documents",
        "catalog/files",
    )
]
PINS = dict(
    re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.M)
)
ROW = re.compile(r"^\| ([\w-]+) \| `(\w+)` \| ([\w., ]+) \| (.+) \| (.+) \|$", re.M)


def written_against(page: str) -> dict[str, str]:
    [line] = re.findall(r"^Written against: (.+)\.$", page, re.M)
    return dict(re.findall(r"([\w-]+) ([\d.]+)", line))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.parent.name)
def test_the_versions_are_those_that_the_site_uses(path: Path) -> None:
    named = written_against(path.read_text())

    assert named == {package: PINS[package] for package in named}
    assert named == {package: version(package) for package in named}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.parent.name)
def test_each_name_is_used_in_the_modules_that_the_list_names(path: Path) -> None:
    page = path.read_text()
    rows = ROW.findall(page)

    assert len(rows) == page.count("\n| ") - 1
    assert {package for package, *_ in rows} <= set(written_against(page))
    assert len({(package, name) for package, name, *_ in rows}) == len(rows)
    for _, name, modules, _, _ in rows:
        for module in modules.split(", "):
            code = (path.parent / module).read_text()
            assert re.search(rf"\b{name}\b", code), f"{module} does not use {name}"


# Documented names of Python, Django and import-export.
DOCUMENTED = {"_asdict", "_exit", "_default_manager", "_meta", "_replace", "_state"}


def test_private_names_of_other_packages_are_listed_where_they_are_used() -> None:
    unlisted = []
    for package in ("async_views", "async_api", "catalog"):
        for path in sorted((ROOT / package).rglob("*.py")):
            page = path.parent / "README.md"
            rows = ROW.findall(page.read_text()) if page.exists() else []
            allowed = DOCUMENTED | {name for _, name, *_ in rows}
            for name in foreign_names(ast.parse(path.read_text())) - allowed:
                unlisted.append(f"{path.relative_to(ROOT)}: {name}")

    assert not unlisted


def foreign_names(tree: ast.Module) -> set[str]:
    """Private attributes, except of `self`, that the module does not define itself."""
    used, own = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            own.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            used |= set((node.module or "").split("."))
        elif isinstance(node, ast.Attribute):
            of_its_own = isinstance(node.value, ast.Name) and node.value.id in OWN
            (own if of_its_own else used).add(node.attr)
    return {name for name in used - own if re.match(r"_(?!_)", name)}


OWN = {"self", "cls"}


def test_the_loader_was_written_for_the_django_that_the_list_names() -> None:
    assert PINS["Django"].startswith("{}.{}.".format(*WRITTEN_FOR))
    assert import_module("django").VERSION[:2] == WRITTEN_FOR
