"""`manage.py adopt_catalog`: adds the rules that rows of a found database broke."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from async_views.runtime.configuration.command_steps import connect, step
from catalog.loading.adoption import add_rule, has_rule


class Command(BaseCommand):
    help = (
        "Adds the catalog's rules that `migrate` left out because rows broke them. "
        "Exit status: 0 all are there, 1 rows still break one, and say which."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        connect()
        with step("Not every rule could be added", self.stderr):
            broken = self.adopt()
        if broken:
            raise CommandError("\n".join(broken))

    def adopt(self) -> list[str]:
        broken = []
        for model in apps.get_app_config("catalog").get_models():
            for rule in model._meta.constraints:
                if has_rule(connection, model._meta.db_table, rule):
                    continue
                with connection.schema_editor() as schema_editor:
                    refusal = add_rule(schema_editor, model, rule)
                if refusal:
                    broken.append(str(refusal))
                else:
                    self.stdout.write(f"  added      {rule.name}")
        return broken
