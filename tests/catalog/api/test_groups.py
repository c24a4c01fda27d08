"""The groups and their permissions, as the migrations create them."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.support.catalog.service import Catalog

MODELS = {"brand", "product", "productcolor", "productsize", "sku"}
ACTIONS = {"view", "add", "change", "delete", "import", "export"}


def permissions(group: str) -> set[str]:
    return set(
        Group.objects.get(name=group).permissions.values_list("codename", flat=True)
    )


def test_viewers_may_view_and_editors_may_do_everything_in_the_catalog(
    served: Catalog,
) -> None:
    granted = served.rows(
        "SELECT g.name, array_agg(p.codename::text ORDER BY p.codename)"
        " FROM auth_group g"
        " JOIN auth_group_permissions gp ON gp.group_id = g.id"
        " JOIN auth_permission p ON p.id = gp.permission_id"
        " GROUP BY g.name ORDER BY g.name"
    )

    assert granted == [
        (
            "Catalog editors",
            sorted(f"{action}_{model}" for action in ACTIONS for model in MODELS),
        ),
        ("Catalog viewers", sorted(f"view_{model}" for model in MODELS)),
    ]


@pytest.mark.django_db
def test_the_migration_keeps_existing_permissions_and_creates_missing_ones() -> None:
    migration = MigrationExecutor(connection).loader.get_migration(
        "catalog", "0003_groups"
    )
    forwards = migration.operations[-1]
    state = MigrationExecutor(connection).loader.project_state(
        ("catalog", "0003_groups")
    )
    Group.objects.all().delete()
    Permission.objects.filter(content_type__app_label="catalog").delete()

    with connection.schema_editor(atomic=False) as editor:
        for _ in range(2):
            forwards.database_forwards("catalog", editor, state, state)

    assert len(permissions("Catalog editors")) == len(MODELS) * len(ACTIONS)
    call_command("migrate", verbosity=0)
    found = Permission.objects.filter(content_type__app_label="catalog")
    assert found.filter(codename__endswith="_sku").count() == len(ACTIONS)


@pytest.mark.django_db
def test_the_migration_can_be_reversed() -> None:
    migration = MigrationExecutor(connection).loader.get_migration(
        "catalog", "0003_groups"
    )
    state = MigrationExecutor(connection).loader.project_state(
        ("catalog", "0003_groups")
    )

    with connection.schema_editor(atomic=False) as editor:
        migration.operations[-1].database_backwards("catalog", editor, state, state)

    assert not Group.objects.exists()
    assert not Permission.objects.filter(codename__contains="import_").exists()
    assert Permission.objects.filter(codename="view_sku").exists()
