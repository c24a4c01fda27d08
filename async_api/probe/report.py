"""A finished probe as JSON, as CSV and as text for a terminal."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from http.client import responses
from typing import Any

from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import Table
from async_api.probe.measurement import Latency, Sample, Summary, latency
from async_api.probe.outcome import (
    STATUSES,
    Outcome,
    count_outcomes,
    listed,
    outcome_of,
    outcome_of_status,
)
from async_api.probe.spec import Probe

Paint = Callable[[Outcome, str], str]

COLUMNS = (
    "start_microseconds",
    "time_microseconds",
    "status",
    "body_length",
    "redirects",
    "kind",
    "message",
)
STATISTICS = ("minimum", "mean", "p50", "p75", "p90", "p95", "p99", "maximum")


def unpainted(outcome: Outcome, line: str) -> str:
    return line


def as_json(probe: Probe) -> dict[str, Any]:
    """Times in microseconds, sizes in bytes; `requests_per_second` counts responses."""
    spec = probe.spec
    return {
        "url": str(spec.target),
        "request_num": spec.requests,
        "concurrency": spec.concurrency,
        "timeout": spec.timeout_seconds,
        "method": spec.method,
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
    """One line for each request sent, in the order they ended."""
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


def as_text(probe: Probe, paint: Paint = unpainted) -> str:
    """The summary, the statistics and the failures, for a terminal.

    `paint` colours a line by the outcome that it is about.
    """
    spec, summary = probe.spec, probe.summary
    statistics = latency_table(probe.samples)
    lines = [
        f"{spec.method} {spec.target}",
        f"{in_short(summary)}, {spec.concurrency} at a time, in "
        f"{duration(summary.wall_time)}: {summary.requests_per_second:.1f} responses/s, "
        f"{summary.bytes} bytes",
        "",
    ]
    if statistics.rows:
        lines += [_in_columns(statistics.columns)]
        lines += [_in_columns(row) for row in statistics.rows]
        lines += [""]
    lines += [
        paint(row.outcome, f"{row.label}: {row.count}") for row in outcome_rows(summary)
    ]
    lines += sorted({f"  {sample.message}" for sample in failed_results(probe)})
    verdict = probe.verdict
    lines += [verdict.verdict.value, *verdict.reasons, *verdict.notes]
    return "\n".join(lines) + "\n"


def _in_columns(cells: Sequence[str]) -> str:
    name, *values = cells
    return f"{name:12}" + "".join(f"{value:>12}" for value in values)


def in_short(summary: Summary) -> str:
    """Such as "20 sent: 19 answered 2xx, 1 failed"."""
    outcomes = listed(count_outcomes(summary))
    unsent = f", {summary.unsent:,} not sent" if summary.unsent else ""
    return f"{summary.sent:,} sent: {outcomes or 'none'}{unsent}"


def successful_results(probe: Probe) -> list[Sample]:
    """All requests with a response, whatever its status."""
    return [sample for sample in probe.samples if sample.answered]


def failed_results(probe: Probe) -> list[Sample]:
    """All requests without a response."""
    return [sample for sample in probe.samples if not sample.answered]


def has_trouble(probe: Probe) -> bool:
    """Whether a request failed, had an error status, or was not sent at all."""
    return bool(probe.summary.unsent) or any(
        outcome.is_trouble for outcome in count_outcomes(probe.summary)
    )


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A row of a page about one request."""

    outcome: Outcome
    sample: Sample

    @property
    def what_happened(self) -> str:
        """Such as "404 Not Found", or the sentence of a failure."""
        status = self.sample.status
        if status is None:
            return self.sample.message
        return f"{status} {responses.get(status, '')}".rstrip()


def result_rows(probe: Probe) -> tuple[list[ResultRow], list[ResultRow]]:
    """Failures and error statuses, and all others, each in the order they ended."""
    rows = [ResultRow(outcome_of(sample), sample) for sample in probe.samples]
    return (
        [row for row in rows if row.outcome.is_trouble],
        [row for row in rows if not row.outcome.is_trouble],
    )


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """The number of requests with the same status or kind of failure."""

    outcome: Outcome
    label: str  # such as "answered 4xx, status 404" or "failed, timeout"
    count: int


def outcome_rows(summary: Summary) -> list[OutcomeRow]:
    """A row for each status, then one for each kind of failure."""
    statuses = (
        (outcome_of_status(status), f"status {status}", count)
        for status, count in summary.statuses.items()
    )
    failures = (
        (Outcome.FAILED, kind, count) for kind, count in summary.failures.items()
    )
    return [
        OutcomeRow(outcome, f"{outcome.label}, {detail}", count)
        for outcome, detail, count in (*statuses, *failures)
    ]


def latency_table(samples: Sequence[Sample]) -> Table:
    """The statistics of each class of responses, with units; no rows without responses."""
    by_outcome = {
        outcome: found
        for outcome in STATUSES
        if (found := latency(_times(samples, outcome)))
    }
    return Table(
        ("", *(outcome.statuses for outcome in by_outcome)),
        (
            ("responses", *(f"{each.count:,}" for each in by_outcome.values())),
            *(
                (name, *(duration(getattr(each, name)) for each in by_outcome.values()))
                for name in STATISTICS
            ),
        )
        if by_outcome
        else (),
    )


def _times(samples: Sequence[Sample], outcome: Outcome) -> Iterator[int]:
    return (sample.time for sample in samples if outcome_of(sample) is outcome)
