"""Makes the database ready to serve: its tables, and on the first start its admin."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from async_views.administrator import NAME, create_administrator


class Command(BaseCommand):
    help = "Migrates the database and creates the admin account where there is none."
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
        password = create_administrator()
        if password:
            self.stdout.write(
                f"  admin      user {NAME}, password {password}\n"
                "             (shown only this once; `make admin` sets a new one)"
            )
