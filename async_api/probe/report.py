"""What does a program get of a probe? Its JSON and its CSV, each stated once."""

import csv
import io
from dataclasses import asdict, dataclass
from typing import Any

from async_api.duration import duration
from async_api.probe.engine import Probe
from async_api.probe.measurement import Latency, Sample, Summary

COLUMNS = (
    "start_microseconds",
    "time_microseconds",
    "status",
    "body_length",
    "redirects",
    "kind",
    "message",
)


def as_json(probe: Probe) -> dict[str, Any]:
    """Times in microseconds, sizes in bytes, `requests_per_second` of answers."""
    question = probe.question
    return {
        "url": str(question.target),
        "request_num": question.requests,
        "concurrency": question.concurrency,
        "timeout": question.timeout_seconds,
        "method": question.method,
        "summary": asdict(probe.summary)
        | {
            "latency": latency_as_json(probe.summary.latency),
            "other_latency": latency_as_json(probe.summary.other_latency),
        },
        "verdict": asdict(probe.verdict),
        "successful_results": [
            {
                "status": sample.status,
                "time": sample.time,
                "body_length": sample.body_length,
                "start": sample.start,
                "redirects": sample.redirects,
            }
            for sample in successful_results(probe)
        ],
        "failed_results": [
            {
                "kind": sample.kind,
                "message": sample.message,
                "time": sample.time,
                "start": sample.start,
                "redirects": sample.redirects,
            }
            for sample in failed_results(probe)
        ],
    }


def latency_as_json(latency: Latency | None) -> dict[str, float] | None:
    if latency is None:
        return None
    numbers = asdict(latency)
    return {"min": numbers.pop("minimum"), "max": numbers.pop("maximum")} | numbers


def as_csv(probe: Probe) -> str:
    """One line a request that was sent, in the order they ended."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(COLUMNS)
    for sample in probe.samples:
        lines.writerow(
            (
                sample.start,
                sample.time,
                sample.status,
                sample.body_length,
                sample.redirects,
                sample.kind,
                sample.message,
            )
        )
    return text.getvalue()


def as_text(probe: Probe) -> str:
    """For a terminal: the summary, the statistics, and what went wrong."""
    question, summary = probe.question, probe.summary
    lines = [
        f"{question.method} {question.target}",
        f"{summary.sent} sent, {summary.answered} answered, {summary.failed} failed, "
        f"{question.concurrency} at a time, in {duration(summary.wall_time)}: "
        f"{summary.requests_per_second:.1f} answers/s, {summary.bytes} bytes",
        "",
        f"{'':12}{'2xx, 3xx':>12}{'4xx, 5xx':>12}",
        *(
            f"{row.name:12}{row.success or '-':>12}{row.error or '-':>12}"
            for row in latency_rows(summary)
        ),
        "",
        *(f"status {status}: {count}" for status, count in summary.statuses.items()),
        *(f"failed, {kind}: {count}" for kind, count in summary.failures.items()),
        *sorted({f"  {sample.message}" for sample in failed_results(probe)}),
        *probe.verdict.reasons,
        *probe.verdict.notes,
    ]
    return "\n".join(lines) + "\n"


def successful_results(probe: Probe) -> list[Sample]:
    """Every answer, whatever its status."""
    return [sample for sample in probe.samples if sample.answered]


def failed_results(probe: Probe) -> list[Sample]:
    return [sample for sample in probe.samples if not sample.answered]


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """One statistic of the answers that succeeded, and of those with an error status."""

    name: str
    success: str | None
    error: str | None


def latency_rows(summary: Summary) -> list[LatencyRow]:
    """The statistics for people, with units."""
    both = (summary.latency, summary.other_latency)
    rows = [
        LatencyRow("answers", *(str(each.count) if each else None for each in both))
    ]
    for name in ("minimum", "mean", "p50", "p75", "p90", "p95", "p99", "maximum"):
        success, error = (
            duration(getattr(each, name)) if each else None for each in both
        )
        rows.append(LatencyRow(name, success, error))
    return rows
