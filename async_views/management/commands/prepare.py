"""Makes the database ready to serve: its tables, and on the first start what is in it."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from async_views.administrator import NAME, create_administrator
from catalog.example import Example
from catalog.seed import CatalogNotEmpty, in_short, is_empty, seed


class Command(BaseCommand):
    help = (
        "Migrates the database and creates the admin account where there is none. "
        "Under DEBUG, an empty catalog gets example data."
    )
    # gunicorn starts the site right after this, and every worker checks it then.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.prepare()
        except Error as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"DATABASE_URL cannot be used: {reason}.") from error

    def prepare(self) -> None:
        executor = MigrationExecutor(connection)
        # `migrate` takes half a second even where there is nothing to do.
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            call_command("migrate", verbosity=0, interactive=False)
            self.stdout.write(f"  migrated   {len(plan)} migrations applied")
        if settings.DEBUG and is_empty():
            self.seed_catalog()
        password = create_administrator()
        if password:
            self.stdout.write(
                f"  admin      user {NAME}, password {password}\n"
                "             (shown only this once; `make admin` sets a new one)"
            )

    def seed_catalog(self) -> None:
        example = Example()
        # Another site on this database may have been quicker, and that is as well.
        with suppress(CatalogNotEmpty):
            seed(example)
            self.stdout.write(f"  catalog    {in_short(example)} (example data)")
