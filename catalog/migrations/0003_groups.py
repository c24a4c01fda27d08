"""The groups of users who may view and edit the catalog."""

from typing import Any

from django.db import migrations

MODELS = {
    "brand": "brand",
    "product": "product",
    "productcolor": "colour",
    "productsize": "size",
    "sku": "SKU",
}
GROUPS = {
    "Catalog viewers": ("view",),
    "Catalog editors": ("view", "add", "change", "delete", "import", "export"),
}
ACTIONS = ("add", "change", "delete", "view", "import", "export")


def create_groups(apps: Any, schema_editor: Any) -> None:
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    # On a new database neither content types nor permissions exist yet: Django creates
    # the missing ones after the last migration.
    for model, name in MODELS.items():
        content_type, _ = ContentType.objects.get_or_create(
            app_label="catalog", model=model
        )
        for action in ACTIONS:
            Permission.objects.get_or_create(
                content_type=content_type,
                codename=f"{action}_{model}",
                defaults={"name": f"Can {action} {name}"},
            )
    for group_name, actions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=group_name)
        group.permissions.add(
            *Permission.objects.filter(
                content_type__app_label="catalog",
                codename__in=[
                    f"{action}_{model}" for action in actions for model in MODELS
                ],
            )
        )


def remove_groups(apps: Any, schema_editor: Any) -> None:
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()
    apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="catalog",
        codename__in=[
            f"{action}_{model}" for action in ("import", "export") for model in MODELS
        ],
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_rules_and_indexes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        *(
            migrations.AlterModelOptions(
                model,
                {"ordering": ("id",), "default_permissions": ACTIONS}
                | ({} if name == model else {"verbose_name": name}),
            )
            for model, name in MODELS.items()
        ),
        migrations.RunPython(create_groups, remove_groups),
    ]
