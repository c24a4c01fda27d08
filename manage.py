#!/usr/bin/env python
"""Runs a management command, with the database it needs."""

import os
import sys
from contextlib import nullcontext

from django.core.management import execute_from_command_line

# These ask the database nothing, so that they need not wait for it to start.
WITHOUT_DATABASE = {
    "check",
    "help",
    "load",
    "probe",
    "version",
    "--help",
    "--version",
}


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "async_views.settings")
    from async_views import settings
    from async_views.runtime.postgres import embedded

    needs_embedded = settings.EMBEDDED_POSTGRES and not (
        WITHOUT_DATABASE & set(arguments[1:2]) or len(arguments) < 2
    )
    try:
        with (
            embedded.hold(settings.EMBEDDED_POSTGRES_DIR)
            if needs_embedded
            else nullcontext()
        ):
            execute_from_command_line(arguments)
    except embedded.EmbeddedPostgresError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv)
