"""`manage.py probe URL`: the probe from a terminal, with an exit status for scripts."""

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from async_api.outbound.guard import TargetRefused
from async_api.probe.engine import probe
from async_api.probe.forms import ProbeForm
from async_api.probe.measurement import Sample
from async_api.probe.outcome import Outcome
from async_api.probe.report import as_csv, as_json, as_text, has_trouble
from async_api.probe.spec import METHODS, Probe, ProbeSpec
from async_api.probe.wire.limits import configured_limits
from async_views.runtime.views.problems import field_errors

SOME_FAILED = 1
REFUSED_OR_WRONG = 2
BAR_WIDTH = 30
# Of Django's palette: white, green, cyan, yellow, magenta and red.
STYLES = {
    Outcome.INFORMATIONAL: "HTTP_INFO",
    Outcome.SUCCESS: "SUCCESS",
    Outcome.REDIRECT: "HTTP_NOT_MODIFIED",
    Outcome.CLIENT_ERROR: "WARNING",
    Outcome.SERVER_ERROR: "HTTP_SERVER_ERROR",
    Outcome.FAILED: "ERROR",
}
# The command's options for the form's fields.
OPTIONS = {
    "request_num": "--requests",
    "concurrency": "--concurrency",
    "timeout": "--timeout",
    "method": "--method",
    "url": "URL",
}


class Command(BaseCommand):
    help = (
        "Sends concurrent requests to a URL and reports times, sizes and failures. "
        "Exit status: 0 if every request was answered without an error status, 1 if some "
        "failed, were answered with 4xx or 5xx, or were not sent, 2 if the target is "
        "refused or an argument is wrong."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL")
        parser.add_argument("--requests", "-n", dest="request_num", metavar="N")
        parser.add_argument("--concurrency", "-c", metavar="C")
        parser.add_argument("--timeout", "-t", metavar="SECONDS")
        parser.add_argument("--method", "-m", metavar="|".join(METHODS))
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="print JSON")
        output.add_argument("--csv", action="store_true", help="print CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        spec = read_spec(options)
        with Progress(spec.requests, sys.stderr) as progress:
            try:
                done = uvloop.run(
                    probe(
                        spec,
                        configured_limits(),
                        settings.PROBE_PRIVATE_TARGETS,
                        on_sample=progress.count,
                    )
                )
            except TargetRefused as refusal:
                raise CommandError(
                    str(refusal), returncode=REFUSED_OR_WRONG
                ) from refusal
            except KeyboardInterrupt:
                raise CommandError("Stopped.", returncode=130) from None
        self.stdout.write(self.report(done, options), ending="")
        if has_trouble(done):
            sys.exit(SOME_FAILED)

    def report(self, done: Probe, options: dict[str, Any]) -> str:
        if options["json"]:
            return json.dumps(as_json(done), indent=2) + "\n"
        if options["csv"]:
            return as_csv(done)
        return as_text(done, self.paint)

    def paint(self, outcome: Outcome, line: str) -> str:
        """In the colour of its outcome on a terminal, unchanged elsewhere."""
        style: Callable[[str], str] = getattr(self.style, STYLES[outcome])
        return style(line)


def read_spec(options: dict[str, Any]) -> ProbeSpec:
    """The probe that the options ask for; raises CommandError if the form is not valid."""
    given = {name: options[name] for name in OPTIONS if options.get(name) is not None}
    form = ProbeForm(given)
    if not form.is_valid():
        raise CommandError(
            " ".join(
                f"{OPTIONS[error.field]} {error.value}: {error.message}"
                for error in field_errors(form)
            ),
            returncode=REFUSED_OR_WRONG,
        )
    return form.spec()


class Progress:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self.total = total
        self.stream = stream
        self.shown = stream.isatty()
        self.counted = 0
        self.filled = -1

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.shown:
            # Carriage return, and erase to the end of the line (ECMA-48).
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def count(self, sample: Sample) -> None:
        """Counts a request that has ended; redraws only when the bar grows."""
        self.counted += 1
        filled = self.counted * BAR_WIDTH // self.total
        if self.shown and filled != self.filled:
            self.filled = filled
            bar = "█" * filled + "░" * (BAR_WIDTH - filled)
            self.stream.write(f"\r{bar} {self.counted} of {self.total}")
            self.stream.flush()
