"""Gives the admin account a new random password, and says it."""

from typing import Any

from django.core.management.base import BaseCommand

from async_views.administrator import NAME, reset_administrator


class Command(BaseCommand):
    help = "Sets a new random password for the admin account, and prints it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"user {NAME}, password {reset_administrator()}")
