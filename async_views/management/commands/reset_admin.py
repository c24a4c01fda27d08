"""Sets a new random password for the admin account and prints it."""

from typing import Any

from django.core.management.base import BaseCommand

from async_views.administrator import NAME, reset_administrator
from async_views.runtime.configuration.command_steps import connect, step


class Command(BaseCommand):
    help = "Sets a new random password for the admin account and prints it."

    def handle(self, *args: Any, **options: Any) -> None:
        connect()
        with step(
            "The password of the admin account could not be changed", self.stderr
        ):
            password = reset_administrator()
        self.stdout.write(f"user {NAME}, password {password}")
