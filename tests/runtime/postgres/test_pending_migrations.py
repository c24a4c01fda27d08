"""The migrations that a release requires, and those that a database lacks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from async_views.runtime.postgres.pending_migrations import (
    in_words,
    required_migrations,
)

MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    replaces = {replaces}
    dependencies = {dependencies}
"""
# Migrations by name: those that each replaces, and those it depends on.
FILES: dict[str, dict[str, tuple[list[str], list[str]]]] = {
    "while both are there": {
        "0001_first": ([], []),
        "0002_second": ([], ["0001_first"]),
        "0001_squashed": (["0001_first", "0002_second"], []),
        "0003_third": ([], ["0002_second"]),
    },
    "once the files of the replaced are gone": {
        "0001_squashed": (["0001_first", "0002_second"], []),
        "0003_third": ([], ["0001_squashed"]),
    },
    "once it has become an ordinary one": {
        "0001_squashed": ([], []),
        "0003_third": ([], ["0001_squashed"]),
    },
}
RECORDS = [
    [],
    ["0001_first"],
    ["0001_squashed"],
    ["0001_first", "0002_second"],
    ["0001_first", "0002_second", "0003_third"],
    ["0001_first", "0002_second", "0001_squashed", "0003_third"],
    ["0001_first", "0002_second", "0001_squashed", "0003_third", "0004_newer"],
]


@pytest.fixture
def fresh() -> Iterator[None]:
    """Has the migration files read again, before and after."""
    required_migrations.cache_clear()
    yield
    required_migrations.cache_clear()


@pytest.mark.parametrize("files", FILES.values(), ids=FILES)
@pytest.mark.django_db
def test_a_squashed_migration_is_pending_exactly_when_django_would_apply_it(
    files: dict[str, tuple[list[str], list[str]]],
    fresh: None,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = f"of_{tmp_path.name}"
    write(tmp_path / package, files)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"catalog": package}
    rows = MigrationRecorder(connection).migration_qs.filter(app="catalog")

    for records in RECORDS:
        rows.delete()
        for name in records:
            rows.create(app="catalog", name=name)
        recorded = set(MigrationRecorder(connection).applied_migrations())

        pending = required_migrations() - recorded

        assert bool(pending) != has_nothing_to_do(), records


def has_nothing_to_do() -> bool:
    """Whether `migrate` would find nothing to apply and no error."""
    executor = MigrationExecutor(connection)
    try:
        executor.loader.check_consistent_history(connection)
    except InconsistentMigrationHistory:
        return False
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def write(package: Path, files: dict[str, tuple[list[str], list[str]]]) -> None:
    package.mkdir()
    (package / "__init__.py").touch()
    for name, (replaces, dependencies) in files.items():
        source = MIGRATION.format(
            replaces=[("catalog", each) for each in replaces],
            dependencies=[("catalog", each) for each in dependencies],
        )
        (package / f"{name}.py").write_text(source)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["0001_a"], "shop.0001_a"),
        (["0001_a", "0002_b", "0003_c"], "shop.0001_a, shop.0002_b, shop.0003_c"),
        (
            ["0001_a", "0002_b", "0003_c", "0004_d", "0005_e"],
            "shop.0001_a, shop.0002_b, shop.0003_c and 2 more",
        ),
    ],
)
def test_the_first_few_are_named_and_the_others_counted(
    names: list[str], words: str
) -> None:
    assert in_words([("shop", name) for name in names]) == words
