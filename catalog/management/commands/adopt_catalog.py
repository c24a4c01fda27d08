"""`manage.py adopt_catalog`: adds constraints that rows of an adopted database violated."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from async_views.runtime.configuration.command_steps import connect, step
from catalog.loading.adoption import add_constraint_unless_violated, has_constraint


class Command(BaseCommand):
    help = (
        "Adds the constraints that `migrate` left out because rows violated them. "
        "Exit status: 0 all constraints exist; 1 rows still violate one, which is named."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        connect()
        with step("Not every constraint could be added", self.stderr):
            violations = self.adopt()
        if violations:
            raise CommandError("\n".join(violations))

    def adopt(self) -> list[str]:
        violations = []
        for model in apps.get_app_config("catalog").get_models():
            for constraint in model._meta.constraints:
                if has_constraint(connection, model._meta.db_table, constraint):
                    continue
                with connection.schema_editor() as schema_editor:
                    violation = add_constraint_unless_violated(
                        schema_editor, model, constraint
                    )
                if violation:
                    violations.append(str(violation))
                else:
                    self.stdout.write(f"  added      {constraint.name}")
        return violations
