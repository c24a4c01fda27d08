"""Prepares the database: migrations, the admin account and, under DEBUG, example data."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.core.management.commands import migrate
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor

from async_views.administrator import NAME, create_administrator
from async_views.runtime.configuration.command_steps import Step, connect, step
from catalog.loading.example import Example
from catalog.loading.seed import CatalogNotEmpty, in_short, is_empty, seed


class Command(BaseCommand):
    help = (
        "Migrates the database and creates the admin account if there is none. "
        "Under DEBUG, an empty catalog gets example data. "
        "Exit status: 0 ready, 1 a step failed; the error says why."
    )
    # gunicorn starts the site right after this, and each worker runs the checks.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        connect()
        with step("The migrations could not be applied", self.stderr) as current:
            self.migrate(current)
        if settings.DEBUG:
            with step(
                "The example data could not be loaded, and the catalog is unchanged",
                self.stderr,
            ):
                self.seed_catalog()
        with step("The admin account could not be created", self.stderr):
            self.create_administrator()

    def migrate(self, current: Step) -> None:
        executor = MigrationExecutor(connection)
        # `migrate` takes half a second even if there is nothing to do.
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            command = NamingMigrate(current, last=str(plan[-1][0]))
            call_command(command, verbosity=0, interactive=False)
            self.stdout.write(f"  migrated   {len(plan)} migrations applied")

    def seed_catalog(self) -> None:
        if not is_empty():
            return
        example = Example()
        # Another site on this database may have been quicker, which is fine.
        with suppress(CatalogNotEmpty):
            seed(example)
            self.stdout.write(f"  catalog    {in_short(example)} (example data)")

    def create_administrator(self) -> None:
        password = create_administrator()
        if password:
            self.stdout.write(
                f"  admin      user {NAME}, password {password}\n"
                "             (shown only once; `make admin` sets a new one)"
            )


class NamingMigrate(migrate.Command):
    """A `migrate` that names the migration that failed."""

    def __init__(self, current: Step, last: str) -> None:
        super().__init__()
        self.current = current
        self.last = last

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        super().migration_progress_callback(action, migration, fake)
        if action == "apply_start":
            self.current.failed = f"The migration {migration} failed"
        elif action == "apply_success" and str(migration) == self.last:
            self.current.failed = (
                "The migrations were applied, but the permissions were not added "
                "(`manage.py migrate` tries again)"
            )
