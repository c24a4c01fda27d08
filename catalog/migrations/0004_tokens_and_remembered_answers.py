from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import Index, UniqueConstraint
from django.db.models.deletion import CASCADE
from django.utils import timezone

from catalog.models.token import known_scopes


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_groups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        help_text="The user responsible for it. The token is invalid while the account is inactive.",
                        on_delete=CASCADE,
                        related_name="access_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Its purpose, such as “nightly import”.",
                        max_length=100,
                    ),
                ),
                (
                    "scopes",
                    ArrayField(
                        models.CharField(max_length=50),
                        help_text="What the token allows.",
                        validators=[known_scopes],
                    ),
                ),
                (
                    "digest",
                    models.BinaryField(
                        editable=False,
                        unique=True,
                        verbose_name="SHA-256 of the secret",
                    ),
                ),
                (
                    "created",
                    models.DateTimeField(default=timezone.now, editable=False),
                ),
                ("last_used", models.DateTimeField(editable=False, null=True)),
                (
                    "expires",
                    models.DateTimeField(
                        blank=True,
                        help_text="Leave empty if it should not expire.",
                        null=True,
                    ),
                ),
                ("revoked", models.DateTimeField(editable=False, null=True)),
            ],
            options={"db_table": "catalog_access_token", "ordering": ("-created",)},
        ),
        migrations.CreateModel(
            name="RememberedAnswer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.BinaryField()),
                ("status", models.PositiveSmallIntegerField()),
                ("headers", models.JSONField()),
                ("body", models.BinaryField()),
                ("created", models.DateTimeField(default=timezone.now)),
            ],
            options={
                "db_table": "catalog_remembered_answer",
                "constraints": [
                    UniqueConstraint(
                        fields=("subject", "key"), name="remembered_answer_subject_key"
                    )
                ],
                "indexes": [
                    Index(fields=("created",), name="remembered_answer_created")
                ],
            },
        ),
    ]
