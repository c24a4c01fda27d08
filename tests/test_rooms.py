"""Imports follow the layers of the packages, and every module has a test module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import ROOT

RUNTIME = "async_views.runtime"
APPLICATIONS = ("async_api", "catalog")

# The other rooms of its package that a room may import.
MAY_IMPORT = {
    "async_views.runtime.asgi": (),
    "async_views.runtime.waiting": ("asgi",),
    "async_views.runtime.configuration": ("asgi",),
    "async_views.runtime.server": ("asgi", "waiting"),
    "async_views.runtime.handler": ("asgi", "waiting"),
    "async_views.runtime.static": ("asgi", "handler"),
    "async_views.runtime.postgres": ("asgi", "waiting"),
    "async_views.runtime.views": ("asgi", "waiting", "handler", "postgres"),
    "async_api.drawing": (),
    "async_api.outbound": (),
    "async_api.nearest_rank": (),
    "async_api.verdict_word": (),
    "async_api.load.plan": (),
    "async_api.load.recording": (),
    "async_api.load.run": ("plan", "recording"),
    "async_api.load.wire": ("plan", "recording", "run"),
    "async_api.load.generator": ("plan", "recording", "run", "wire"),
    "async_api.load.result": ("plan", "recording", "run"),
    "async_api.load": ("drawing", "nearest_rank", "outbound", "verdict_word"),
    "async_api.probe": ("drawing", "nearest_rank", "outbound", "verdict_word"),
    "async_api.bridges": ("drawing",),
    "async_api.online": (),
    "catalog.models": (),
    "catalog.documents": ("models",),
    "catalog.access": ("models",),
    "catalog.reading": ("documents",),
    "catalog.writing": ("access", "documents", "models", "reading"),
    "catalog.files": ("models", "writing"),
    "catalog.loading": ("models", "writing"),
    "catalog.api": ("access", "documents", "models", "reading", "writing"),
    "catalog.pages": ("documents", "models", "reading"),
    "catalog.admin": ("access", "files", "models", "writing"),
}
MAX_MODULES = 12  # in one room

# Where modules without their own test module are tested.
TESTED_IN = {
    "async_api/bridges/executors": "async_api/bridges/test_laboratory",
    "async_api/bridges/experiments/blocking": "async_api/bridges/test_laboratory",
    "async_api/bridges/experiments/calls": "async_api/bridges/test_laboratory",
    "async_api/bridges/experiments/chess": "async_api/bridges/test_laboratory",
    "async_api/bridges/experiments/coroutines": "async_api/bridges/test_laboratory",
    "async_api/bridges/experiments/crossing": "async_api/bridges/test_laboratory",
    "async_api/bridges/experiments/experiment": "async_api/bridges/test_laboratory",
    "async_api/bridges/experiments/registry": "async_api/bridges/test_views",
    "async_api/bridges/experiments/requests": "async_api/bridges/test_served",
    "async_api/bridges/experiments/threads": "async_api/bridges/test_laboratory",
    "async_api/bridges/forms": "async_api/bridges/test_views",
    "async_api/bridges/recording": "async_api/bridges/test_laboratory",
    "async_api/bridges/report": "async_api/bridges/test_views",
    "async_api/bridges/surroundings": "async_api/bridges/test_views",
    "async_api/bridges/trial": "async_api/bridges/test_laboratory",
    "async_api/drawing/text_equivalent": "async_api/probe/test_pictures",
    "async_api/drawing/timeline": "async_api/probe/test_timeline",
    "async_api/load/generator/child": "async_api/load/generator/test_process",
    "async_api/load/generator/resolver": "async_api/load/generator/test_process",
    "async_api/load/generator/sending/channel": "async_api/load/generator/test_execution",
    "async_api/load/generator/sending/expiry": "async_api/load/generator/test_execution",
    "async_api/load/generator/sending/pool": "async_api/load/generator/test_execution",
    "async_api/load/run": "async_api/load/generator/test_execution",
    "async_api/load/plan/bodies": "async_api/load/plan/test_document",
    "async_api/load/plan/command_line/given": (
        "async_api/load/plan/command_line/test_document"
    ),
    "async_api/load/plan/command_line/pasted": (
        "async_api/load/plan/command_line/test_document"
    ),
    "async_api/load/plan/command_line/request": (
        "async_api/load/plan/command_line/test_document"
    ),
    "async_api/load/plan/curl/arguments": "async_api/load/plan/curl/test_request",
    "async_api/load/plan/curl/bash": "async_api/load/plan/curl/test_quoting",
    "async_api/load/plan/curl/cmd": "async_api/load/plan/curl/test_quoting",
    "async_api/load/plan/curl/data": "async_api/load/plan/curl/test_request",
    "async_api/load/plan/curl/fields": "async_api/load/plan/curl/test_request",
    "async_api/load/plan/curl/forms": "async_api/load/plan/curl/test_request",
    "async_api/load/plan/curl/urls": "async_api/load/plan/curl/test_request",
    "async_api/load/plan/curl/words": "async_api/load/plan/curl/test_quoting",
    "async_api/load/plan/errors": "async_api/load/plan/test_document",
    "async_api/load/plan/headers": "async_api/load/plan/test_document",
    "async_api/load/plan/loads": "async_api/load/plan/test_document",
    "async_api/load/plan/members/base": "async_api/load/plan/test_document",
    "async_api/load/plan/members/load": "async_api/load/plan/test_document",
    "async_api/load/plan/members/plan": "async_api/load/plan/test_document",
    "async_api/load/plan/members/request": "async_api/load/plan/test_document",
    "async_api/load/plan/members/statuses": "async_api/load/plan/test_document",
    "async_api/load/plan/plan": "async_api/load/plan/test_document",
    "async_api/load/plan/requests": "async_api/load/plan/test_document",
    "async_api/load/plan/pace": "async_api/load/result/test_measurement",
    "async_api/load/result/instrument": "async_api/load/result/test_verdict",
    "async_api/load/result/reason": "async_api/load/result/test_verdict",
    "async_api/load/result/steadiness": "async_api/load/result/test_verdict",
    "async_api/load/result/tally": "async_api/load/result/test_measurement",
    "async_api/load/result/thresholds": "async_api/load/result/test_verdict",
    "async_api/load/wire/limits": "async_api/load/wire/test_connection",
    "async_api/management/commands/load": "async_api/load/test_command",
    "async_api/management/commands/probe": "async_api/probe/test_command",
    "async_api/nearest_rank": "async_api/probe/test_measurement",
    "async_api/outbound/failures": "async_api/probe/test_engine",
    "async_api/outbound/lookups": "async_api/outbound/test_guard",
    "async_api/probe/access": "async_api/probe/test_views",
    "async_api/probe/forms": "async_api/probe/test_views",
    "async_api/probe/nearness": "async_api/probe/test_measurement",
    "async_api/probe/report": "async_api/probe/test_views",
    "async_api/probe/spec": "async_api/probe/test_engine",
    "async_api/probe/unencoded": "async_api/probe/test_views",
    "async_api/probe/wire/connect_failures": "async_api/probe/test_engine",
    "async_api/probe/wire/limits": "async_api/probe/wire/test_framing",
    "async_api/probe/wire/pace": "async_api/probe/wire/test_connection",
    "async_api/templatetags/measures": "async_api/probe/test_views",
    "async_api/urls": "test_documents",
    "async_views/administrator": "test_prepare",
    "async_views/apps": "catalog/admin/test_admin",
    "async_views/asgi": "test_serving",
    "async_views/management/commands/prepare": "test_prepare",
    "async_views/management/commands/reset_admin": "test_prepare",
    "async_views/runtime/asgi/problem": "runtime/views/test_problems",
    "async_views/runtime/asgi/problem_details": "runtime/views/test_problems",
    "async_views/runtime/asgi/types": "runtime/asgi/test_routing",
    "async_views/runtime/configuration/command_steps": "test_prepare",
    "async_views/runtime/configuration/development_secret": "test_settings",
    "async_views/runtime/configuration/environment": "test_settings",
    "async_views/runtime/configuration/trusted_origins": "async_api/online/test_origins",
    "async_views/runtime/handler/closing": "runtime/views/test_problems",
    "async_views/runtime/handler/security_headers": "test_serving",
    "async_views/runtime/postgres/file_locks": "runtime/postgres/test_embedded",
    "async_views/runtime/postgres/system_user": "runtime/postgres/test_embedded",
    "async_views/runtime/server/flow_control": "runtime/server/test_http_protocol",
    "async_views/runtime/server/succession": "test_serving",
    "async_views/runtime/static/memory_file": "runtime/static/test_static_files",
    "async_views/runtime/static/static_storage": "runtime/static/test_static_files",
    "async_views/runtime/views/login_page": "runtime/views/test_logins",
    "async_views/runtime/views/number_fields": "async_api/bridges/test_views",
    "async_views/runtime/views/read_only": "test_error_shape",
    "async_views/runtime/waiting/concurrency_limit": "async_api/probe/test_views",
    "async_views/urls": "test_documents",
    "async_views/wsgi": "test_serving",
    "benchmarks/clients/crowd": "benchmarks/test_counter",
    "benchmarks/clients/engine": "benchmarks/measuring/test_race",
    "benchmarks/clients/textbook": "benchmarks/measuring/test_race",
    "benchmarks/measuring/memory": "benchmarks/results/test_report",
    "benchmarks/options": "benchmarks/test_bridges",
    "benchmarks/probe": "benchmarks/measuring/test_race",
    "benchmarks/servers/flood": "async_api/probe/wire/test_connection",
    "benchmarks/servers/processes": "benchmarks/measuring/test_race",
    "benchmarks/servers/target": "benchmarks/measuring/test_race",
    "benchmarks/servers/worker": "benchmarks/servers/test_server",
    "benchmarks/serving": "benchmarks/measuring/test_turns",
    "catalog/admin/base": "catalog/admin/test_admin",
    "catalog/admin/brands": "catalog/admin/test_admin",
    "catalog/admin/file_pages": "catalog/files/test_transfer",
    "catalog/admin/options": "catalog/admin/test_admin",
    "catalog/admin/paginator": "catalog/admin/test_admin",
    "catalog/admin/products": "catalog/admin/test_admin",
    "catalog/admin/references": "catalog/admin/test_admin",
    "catalog/admin/search": "catalog/admin/test_admin",
    "catalog/admin/skus": "catalog/admin/test_admin",
    "catalog/admin/tokens": "catalog/access/test_tokens",
    "catalog/api/dispatcher": "catalog/api/test_products",
    "catalog/api/openapi": "catalog/api/test_contract",
    "catalog/api/operation": "catalog/api/test_contract",
    "catalog/api/responses": "catalog/api/test_products",
    "catalog/api/schemas": "catalog/api/test_contract",
    "catalog/api/validation_errors": "catalog/api/test_products",
    "catalog/apps": "catalog/admin/test_admin",
    "catalog/documents/collections": "catalog/api/test_products",
    "catalog/documents/ordering": "catalog/reading/test_pagination",
    "catalog/documents/queries": "catalog/api/test_products",
    "catalog/documents/row_id": "catalog/api/test_products",
    "catalog/files/formats": "catalog/files/test_transfer",
    "catalog/files/uploads": "catalog/files/test_transfer",
    "catalog/loading/example": "catalog/loading/test_seed",
    "catalog/loading/indexes": "catalog/loading/test_seed",
    "catalog/loading/words": "catalog/loading/test_seed",
    "catalog/management/commands/adopt_catalog": "catalog/loading/test_adoption",
    "catalog/management/commands/seed_catalog": "catalog/loading/test_seed",
    "catalog/models/idempotency": "catalog/writing/test_idempotency",
    "catalog/models/product": "catalog/admin/test_admin",
    "catalog/models/token": "catalog/access/test_tokens",
    "catalog/pages/forms": "catalog/pages/test_views",
    "catalog/reading/listing": "catalog/pages/test_views",
    "catalog/reading/reads": "catalog/reading/test_freshness",
    "catalog/urls": "test_documents",
    "catalog/writing/locks": "catalog/writing/test_writes",
    "catalog/writing/sequences": "catalog/loading/test_seed",
    "catalog/writing/rows": "catalog/api/test_products",
}


def modules(*packages: str) -> Iterator[Path]:
    """The paths of the packages' modules, without migrations, relative to the project."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT)


def dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported_by(path: Path) -> set[str]:
    """All names that a module or its functions import, as dotted paths."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def rooms() -> list[Path]:
    every = {path.parent for path in modules("async_views/runtime", *APPLICATIONS)}
    return sorted(every | {path.parent for path in modules("benchmarks")})


def test_the_runtime_imports_neither_applications_nor_wiring() -> None:
    for path in modules("async_views/runtime"):
        for name in imported_by(path):
            ours = is_within(name, "async_views") and not is_within(name, RUNTIME)
            assert not ours, f"{path} imports {name}"
            assert not name.startswith(APPLICATIONS), f"{path} imports {name}"


@pytest.mark.parametrize("application", APPLICATIONS)
def test_an_application_imports_neither_the_other_one_nor_wiring(
    application: str,
) -> None:
    [other] = set(APPLICATIONS) - {application}
    for path in modules(application):
        for name in imported_by(path):
            wiring = is_within(name, "async_views") and not (
                is_within(name, RUNTIME) or name == "async_views.__version__"
            )
            assert not wiring, f"{path} imports {name}"
            assert not is_within(name, other), f"{path} imports {name}"


def test_the_load_generator_imports_neither_django_nor_the_site() -> None:
    for path in modules("async_api/load"):
        for name in imported_by(path):
            assert not is_within(name, "django"), f"{path} imports {name}"
            assert not is_within(name, "async_views"), f"{path} imports {name}"


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    package = room.rpartition(".")[0]
    allowed = [room, *(f"{package}.{name}" for name in MAY_IMPORT[room])]
    for path in modules(room.replace(".", "/")):
        for name in imported_by(path):
            if is_within(name, package):
                assert any(is_within(name, each) for each in allowed), (
                    f"{path} imports {name}"
                )


def test_rooms_import_each_other_in_one_direction() -> None:
    below: dict[str, set[str]] = {}
    for room, names in MAY_IMPORT.items():
        package = room.rpartition(".")[0]
        assert set(names) <= {each.rpartition(".")[2] for each in below}, room
        below[room] = {f"{package}.{name}" for name in names}


def test_every_room_has_import_rules() -> None:
    for package in ("async_views/runtime", *APPLICATIONS):
        for path in (ROOT / package).iterdir():
            named = (
                "management",
                "migrations",
                "templatetags",
                "static",
                "__pycache__",
            )
            if path.is_dir() and (path / "__init__.py").exists():
                room = dotted(path.relative_to(ROOT))
                assert room in MAY_IMPORT or path.name in named, room


@pytest.mark.parametrize("room", rooms(), ids=str)
def test_a_room_has_a_docstring(room: Path) -> None:
    if room.name not in {"commands", "management", "templatetags"}:
        tree = ast.parse((ROOT / room / "__init__.py").read_text())
        assert ast.get_docstring(tree), room


@pytest.mark.parametrize("room", rooms(), ids=str)
def test_a_room_has_few_modules(room: Path) -> None:
    found = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py"}
    if room.name != "applications":  # each is a separate program
        assert len(found) <= MAX_MODULES


def test_every_module_has_its_test() -> None:
    missing = []
    unneeded = set(TESTED_IN)
    for path in modules("async_views", *APPLICATIONS, "benchmarks"):
        name = str(path.with_suffix(""))
        if path.name in {"__init__.py", "settings.py"} or "applications" in path.parts:
            continue
        own = Path("tests", name.removeprefix("async_views/"))
        if (ROOT / own.with_name(f"test_{own.name}.py")).exists():
            continue
        unneeded.discard(name)
        test = TESTED_IN.get(name)
        if test is None or not (ROOT / "tests" / f"{test}.py").exists():
            missing.append(name)

    assert not missing
    assert not unneeded
