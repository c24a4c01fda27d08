"""`manage.py load URL`: a load run from a terminal, with an exit status for scripts."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from async_api.drawing.duration import duration
from async_api.load.generator.child import (
    Generator,
    GeneratorFailed,
    GeneratorRefused,
)
from async_api.load.generator.execution import Limits
from async_api.load.generator.snapshot import Snapshot
from async_api.load.plan.command_line.command import command_of
from async_api.load.plan.command_line.document import Asked, read_options
from async_api.load.plan.command_line.options import add_plan_options
from async_api.load.plan.document import plan_schema, write_plan
from async_api.load.plan.errors import InvalidPlan
from async_api.load.plan.headers import without_secrets
from async_api.load.plan.limits import PlanLimits
from async_api.load.plan.pace import planned_time
from async_api.load.plan.plan import Plan
from async_api.load.result.budgets import check_budgets
from async_api.load.result.exit_status import ExitStatus, exit_status
from async_api.load.result.formats.csv_lines import csv_lines
from async_api.load.result.formats.document import result_document
from async_api.load.result.formats.hdr import hdr_lines
from async_api.load.result.formats.report import report
from async_api.load.result.measurement import measure
from async_api.load.result.verdict import judge
from async_api.load.run import Run
from async_api.nearest_rank import nearest_rank

REFUSAL = (
    "{subject} may not be sent requests: only public internet addresses may, and the "
    "networks and host names listed in PROBE_PRIVATE_TARGETS."
)


class Command(BaseCommand):
    help = (
        "Sends requests to an API at a rate or with a number of connections, and reports "
        "latencies, failures and whether the numbers can be trusted. Exit status: 0 if "
        "all is well, 1 if some requests failed, 2 if the target is refused or an "
        "argument is wrong, 3 if a budget was broken, 4 if the run is INVALID."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_plan_options(parser)
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="print JSON")
        output.add_argument(
            "--csv", action="store_true", help="print CSV, a line for each request"
        )
        output.add_argument(
            "--hdr", action="store_true", help="print a log of HdrHistogram V2"
        )
        output.add_argument(
            "--show",
            choices=("plan", "command", "schema"),
            help="send nothing; print the plan as JSON, the command for it, or the JSON "
            "schema of plans",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["show"] == "schema":
            self.print_json(plan_schema())
            return
        asked = read_plan(options)
        for warning in asked.warnings:
            self.stderr.write(f"Note: {warning}")
        if options["show"] == "plan":
            self.print_json(write_plan(asked.plan))
        elif options["show"] == "command":
            self.stdout.write(command_of(asked.plan))
        else:
            self.load(asked.plan, options)

    def load(self, plan: Plan, options: dict[str, Any]) -> None:
        try:
            run, stopped_by = asyncio.run(execute(plan, Progress(plan, sys.stderr)))
        except GeneratorRefused as refusal:
            raise CommandError(str(refusal), returncode=ExitStatus.REFUSED) from refusal
        except GeneratorFailed as failure:
            raise CommandError(
                str(failure), returncode=ExitStatus.SOME_FAILED
            ) from failure
        found = measure(run)
        verdict = judge(run, found)
        budgets = check_budgets(plan, found)
        if options["json"]:
            self.print_json(
                {"plan": write_plan(without_secrets(plan))}
                | result_document(run, found, verdict, budgets)
            )
        elif options["csv"] or options["hdr"]:
            self.print_lines(csv_lines(run) if options["csv"] else hdr_lines(run))
        else:
            self.stdout.write(report(run, found, verdict, budgets), ending="")
        status = exit_status(found, verdict, budgets)
        # As a shell reports a process that a signal has ended.
        sys.exit(status if stopped_by is None else 128 + stopped_by)

    def print_json(self, document: object) -> None:
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))

    def print_lines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def read_plan(options: dict[str, Any]) -> Asked:
    """The plan that the options ask for; raises CommandError with every error."""
    try:
        return read_options(options, plan_limits())
    except InvalidPlan as invalid:
        raise CommandError(
            "\n".join(map(str, invalid.errors)), returncode=ExitStatus.REFUSED
        ) from invalid


def plan_limits() -> PlanLimits:
    return PlanLimits(
        rate=settings.LOAD_MAX_RATE,
        seconds=settings.LOAD_MAX_SECONDS,
        connections=settings.LOAD_MAX_CONNECTIONS,
        requests=settings.LOAD_MAX_REQUESTS,
        body_bytes=settings.LOAD_MAX_BODY_BYTES,
    )


async def execute(
    plan: Plan, progress: "Progress"
) -> tuple[Run, signal.Signals | None]:
    """The run of a plan, and the signal that ended it early, if one did."""
    private = settings.PROBE_PRIVATE_TARGETS
    generator = Generator(
        plan,
        Limits(
            body_bytes=settings.PROBE_BODY_BYTES, requests=settings.LOAD_MAX_REQUESTS
        ),
        private=[*map(str, private.networks), *private.names],
        refusal=REFUSAL,
        on_snapshot=progress.show,
    )
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        generator.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    with progress:
        run = await generator.run()
    return run, received[0] if received else None


class Progress:
    """A line on a terminal that is replaced once a second; nothing elsewhere."""

    def __init__(self, plan: Plan, stream: TextIO) -> None:
        self.planned = planned_time(plan)
        self.stream = stream
        self.shown = stream.isatty()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.shown:
            # Carriage return, and erase to the end of the line (ECMA-48).
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def show(self, snapshot: Snapshot) -> None:
        if self.shown:
            self.stream.write(f"\r{progress_line(snapshot, self.planned)}\x1b[K")
            self.stream.flush()


def progress_line(snapshot: Snapshot, planned: int | None) -> str:
    """Rate and latencies of the last second, failures so far, and the time left.

    `planned` is how long the run will take, in microseconds, if its plan says so.
    """
    parts = [f"{snapshot.rate:,.0f} responses/s"]
    if latencies := snapshot.from_plan():
        for percent in (50, 95):
            parts.append(f"p{percent} {duration(nearest_rank(latencies, percent))}")
    if snapshot.failed or snapshot.shed:
        parts.append(f"{snapshot.failed + snapshot.shed:,} failed or shed")
    if planned is None:
        parts.append(f"{snapshot.answered:,} answered")
    else:
        left = max(0, planned - snapshot.elapsed) / 1_000_000
        parts.append(f"{left:.0f} s left")
    return " · ".join(parts)
