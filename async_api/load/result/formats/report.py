"""A run's result as text for a terminal: the verdict first, then the numbers behind it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import request_count
from async_api.load.result.budgets import BudgetResult
from async_api.load.result.measurement import Measurement, Timing
from async_api.load.result.percentiles import PERCENTS, Percentile, Statistics
from async_api.load.result.verdict import Verdict
from async_api.load.run import Run, Waterfall

PHASES = ("lookup", "tcp", "tls", "send", "wait", "receive")
BAR_WIDTH = 30
MEANING = (
    "from plan: from the time a request was due, so with its wait for a connection.\n"
    "from send: from its first byte sent, so only what the target and the network took."
)


def report(
    run: Run, found: Measurement, verdict: Verdict, budgets: Sequence[BudgetResult]
) -> str:
    """Text that ends with a line break, without control characters of the target's."""
    parts = (
        _verdict(verdict),
        [each.sentence for each in budgets],
        _counts(found),
        _latencies(found.successes),
        _apart(found),
        _requests(found),
        _failures(found),
        _connections(run, found),
        _waterfalls(run),
    )
    text = "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"
    return "".join(
        each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}"
        for each in text
    )


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield verdict.word.value
    for reason in verdict.reasons:
        yield f"  {reason.severity.value} {reason.code}: {reason.sentence}"
    for note in verdict.notes:
        yield f"  note {note.code}: {note.sentence}"


def _counts(found: Measurement) -> Iterator[str]:
    counts, rates = found.counts, found.rates
    yield (
        f"{request_count(counts.planned)} planned, {counts.sent:,} sent, "
        f"{counts.answered:,} answered: {counts.succeeded:,} succeeded, "
        f"{counts.errors:,} with an error status, {counts.failed:,} failed"
        + (f", {counts.shed:,} shed" if counts.shed else "")
        + (f", {counts.cancelled:,} cancelled" if counts.cancelled else "")
    )
    if counts.warm_up:
        yield f"warm-up, not counted: {request_count(counts.warm_up)}"
    asked = "" if rates.asked is None else f"{rates.asked:,.1f}/s asked, "
    yield (
        f"{asked}{rates.sent:,.1f}/s sent, {rates.answered:,.1f}/s answered; "
        f"{found.bytes:,} bytes in {duration(found.duration)}"
    )
    if found.statuses:
        yield "status " + ", ".join(
            f"{status}: {count:,}" for status, count in found.statuses.items()
        )


def _latencies(timing: Timing) -> Iterator[str]:
    columns = (timing.from_plan, timing.from_send, timing.first_byte)
    if not any(columns):
        return
    yield from _table(
        ("latency", "from plan", "", "from send", "", "first byte", ""),
        [
            _row("minimum", columns, "minimum"),
            _row("mean", columns, "mean"),
            *(_percentiles(percent, columns) for percent in PERCENTS),
            _row("maximum", columns, "maximum"),
        ],
    )
    yield MEANING
    yield "In brackets, where the true percentile is with a probability of 95 %."


def _row(
    name: str, columns: Iterable[Statistics | None], member: str
) -> tuple[str, ...]:
    cells = [name]
    for each in columns:
        cells += ["" if each is None else duration(getattr(each, member)), ""]
    return tuple(cells)


def _percentiles(
    percent: float, columns: Iterable[Statistics | None]
) -> tuple[str, ...]:
    cells = [f"p{percent:g}"]
    for each in columns:
        cells += ["", ""] if each is None else _percentile(each.percentile(percent))
    return tuple(cells)


def _percentile(found: Percentile) -> list[str]:
    if found.lower is None or found.upper is None:
        return [f"at least {duration(found.value)}", ""]
    return [
        duration(found.value),
        f"[{duration(found.lower)}, {duration(found.upper)}]",
    ]


def _apart(found: Measurement) -> Iterator[str]:
    for name, timing in (("error statuses", found.errors), ("failures", found.failed)):
        plan, send = timing.from_plan, timing.from_send
        if plan is not None:
            sent = "" if send is None else f", from send {duration(send.median)}"
            yield f"{name}, median: from plan {duration(plan.median)}{sent}"


def _requests(found: Measurement) -> Iterator[str]:
    if len(found.requests) < 2:
        return
    rows = []
    for each in found.requests:
        plan, send = each.timing.from_plan, each.timing.from_send
        rows.append(
            (
                each.name,
                f"{each.planned:,}",
                f"{each.errors:,}",
                f"{each.failed:,}",
                *(
                    "" if times is None else duration(times.percentile(percent).value)
                    for times in (plan, send)
                    for percent in (50, 95)
                ),
            )
        )
    yield from _table(
        (
            *("request", "planned", "errors", "failed"),
            *("p50 plan", "p95 plan", "p50 send", "p95 send"),
        ),
        rows,
    )


def _failures(found: Measurement) -> Iterator[str]:
    for each in found.failures:
        check = f" ({each.check})" if each.check else ""
        message = f": {each.message}" if each.message else ""
        yield (
            f"failed {each.kind}{check}: {each.count:,}, first after "
            f"{duration(each.first)}{message}"
        )


def _connections(run: Run, found: Measurement) -> Iterator[str]:
    each = found.connections
    yield (
        f"connections: {each.opened:,} opened, {each.lost:,} lost between requests, "
        f"{each.replaced:,} replaced, {each.reused:,} requests on one used before"
    )
    for name, times in (
        ("lateness where a connection was free", found.lateness),
        ("wait where none was, or one was opened", found.waits),
    ):
        if times is not None:
            yield (
                f"{name}: p50 {duration(times.median)}, "
                f"p99 {duration(times.percentile(99).value)}, "
                f"maximum {duration(times.maximum)}"
            )
    secure = next((each for each in run.connections if each.tls_version), None)
    if secure is not None:
        expires = (
            ""
            if secure.certificate_expires is None
            else ", certificate until "
            f"{datetime.fromtimestamp(secure.certificate_expires, UTC):%Y-%m-%d}"
        )
        yield f"TLS: {secure.tls_version}, {secure.cipher}{expires}"


def _waterfalls(run: Run) -> Iterator[str]:
    """The cold one beside the warm one, on a common scale."""
    shown = [each for each in (run.cold, run.warm) if each is not None]
    if not shown:
        return
    longest = max(1, *(each.total for each in shown))
    headings = {"cold": run.cold, "warm": run.warm}
    yield (
        "phase    "
        + "".join(
            f"{f'{name} {duration(each.total)}':<{BAR_WIDTH + 12}}"
            for name, each in headings.items()
            if each
        ).rstrip()
    )
    for phase in PHASES:
        cells = [_bar(each, phase, longest) for each in shown]
        yield f"{phase:9}{''.join(cells)}".rstrip()
    for name, each in headings.items():
        if each and each.server_timing:
            yield f"Server-Timing, {name}: {each.server_timing}"


def _bar(waterfall: Waterfall, phase: str, longest: int) -> str:
    before = sum(getattr(waterfall, each) for each in PHASES[: PHASES.index(phase)])
    time: int = getattr(waterfall, phase)
    start = before * BAR_WIDTH // longest
    length = -(-(before + time) * BAR_WIDTH // longest) - start if time else 0
    bar = " " * start + "█" * length
    return f"{bar:<{BAR_WIDTH}} {duration(time) if time else '-':>9}  "


def _table(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [
        max(len(row[column]) for row in (heading, *rows))
        for column in range(len(heading))
    ]
    for first, *cells in (heading, *rows):
        aligned = (
            f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)
        )
        yield "  ".join((f"{first:{widths[0]}}", *aligned)).rstrip()
