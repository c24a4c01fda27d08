"""The documents agree with the code."""

import ast
import re
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from async_api.bridges.forms import BridgeForm
from async_api.outbound.failures import FailureKind
from async_api.probe.forms import ProbeForm
from tests.support.site import ROOT

README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def section(heading: str, document: str = README) -> str:
    return document.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def settings_read() -> dict[str, str]:
    """Each variable that settings.py reads, and the source of its default."""
    tree = ast.parse((ROOT / "async_views" / "settings.py").read_text())
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "environment"
    ]
    read: dict[str, str] = {}
    for call in calls:
        assert isinstance(call.args[0], ast.Constant)
        default = ast.unparse(call.args[1]) if len(call.args) > 1 else ""
        read.setdefault(str(call.args[0].value), default)
    return read


def settings_documented() -> dict[str, str]:
    rows = re.findall(r"^\| (`.+?) \| (.*?) \|", section("Settings"), re.MULTILINE)
    documented: dict[str, str] = {}
    for names, defaults in rows:
        variables = re.findall(r"`(\w+)`", names)
        values = defaults.split(", ") if len(variables) > 1 else [defaults]
        documented |= dict(zip(variables, [*values, ""], strict=False))
    return documented


def test_the_readme_lists_exactly_the_settings_that_are_read() -> None:
    assert set(settings_documented()) == set(settings_read())


def test_the_defaults_in_the_readme_are_the_defaults() -> None:
    documented = settings_documented()
    for name, written in settings_read().items():
        try:
            value = eval(written, {"__builtins__": {}})
        except (NameError, SyntaxError):
            continue  # It depends on another setting, as the table says.
        if isinstance(value, int | float | str):
            assert documented[name] == str(value), name


def test_every_route_is_in_the_reference() -> None:
    def paths(patterns: list[URLPattern | URLResolver], before: str) -> list[str]:
        found = []
        for pattern in patterns:
            path = before + str(pattern.pattern)
            if path == "/admin/":
                found.append(path)
            elif isinstance(pattern, URLResolver):
                found += paths(pattern.url_patterns, path)
            else:
                found.append(path)
        return found

    for route in paths(get_resolver().url_patterns, "/"):
        path = re.sub(r"<[\w:]+>", "{id}", route)
        assert f"`{path}`" in REFERENCE, path


@pytest.mark.parametrize(
    ("form", "heading"),
    [(ProbeForm, "Probe a URL"), (BridgeForm, "See the bridges")],
)
def test_every_parameter_is_in_the_reference(
    form: type[ProbeForm] | type[BridgeForm], heading: str
) -> None:
    for name in form.base_fields:
        assert f"| `{name}` |" in section(heading, REFERENCE)


def test_every_kind_of_failure_is_in_the_reference() -> None:
    for kind in FailureKind:
        assert f"`{kind}`" in REFERENCE


def test_every_package_has_its_reason_in_the_readme() -> None:
    reasons = section("What it is built on").lower()
    for file in ("requirements.txt", "tests/requirements.txt"):
        chosen = (ROOT / file).read_text().split("# What those need.")[0]
        for name in re.findall(r"^([\w-]+)[\[=]", chosen, re.MULTILINE):
            assert name.lower() in reasons, name


def test_every_requirement_is_pinned_exactly() -> None:
    for file in ROOT.glob("**/requirements.txt"):
        if any(part.startswith(".venv") for part in file.parts):
            continue
        for line in file.read_text().splitlines():
            assert (
                not line
                or line.startswith("#")
                or re.fullmatch(r"[\w-]+(\[\w+\])?==[\w.]+", line)
            ), f"{file}: {line}"


def test_every_make_target_is_in_the_help_and_in_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [declared] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    printed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for target in declared.split():
        if target != "help":
            assert f"make {target} " in printed
            assert f"`make {target}`" in README or f"make {target}\n" in README


def test_every_file_that_contributing_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`([\w.-]+/[\w./-]+|(?!__)\w+\.\w+)`", text)

    assert len(named) > 20
    for name in named:
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_to_a_file_works(document: object) -> None:
    path = ROOT / str(document)
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
        assert (path.parent / link).exists(), link


@pytest.mark.served
def test_the_json_in_the_reference_has_the_members_of_the_response() -> None:
    shown = REFERENCE.split("```text\n")[1].split("```")[0]
    response = Client().get(
        "/requests/",
        {"url": "http://127.0.0.1:1/", "request_num": "1", "format": "json"},
    )
    answer = response.json()

    for member in [*answer, *answer["summary"], *answer["verdict"], *answer["server"]]:
        assert f'"{member}":' in shown, member


def test_the_reference_names_the_options_of_the_command() -> None:
    printed = subprocess.run(
        [sys.executable, "manage.py", "probe", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    named = set(re.findall(r"(--[a-z]+)", section("Probe a URL", REFERENCE)))
    assert named == {"--requests", "--concurrency", "--json", "--csv"}
    for option in named:
        assert option in printed
