"""A run's result as JSON, in the words of `measurement` and `verdict`.

Times are whole microseconds, a mean may have decimals; shares are from 0 to 1; what did
not happen is null. `version` changes when a member changes its meaning or disappears, and
not when one is added.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from async_api.load.result.budgets import BudgetResult
from async_api.load.result.measurement import Measurement, Timing
from async_api.load.result.percentiles import Statistics
from async_api.load.result.verdict import Verdict
from async_api.load.run import Run, Waterfall

VERSION = 1


def result_document(
    run: Run,
    found: Measurement,
    verdict: Verdict,
    budgets: Iterable[BudgetResult],
) -> dict[str, Any]:
    """The plan is not in it: the caller adds it with `plan.document`, without secrets."""
    return {
        "version": VERSION,
        "began": datetime.fromtimestamp(run.began, UTC).isoformat(),
        "duration": found.duration,
        "measured_from": found.measured_from,
        "cancelled": run.cancelled,
        "verdict": {
            "verdict": verdict.word.value,
            "reasons": [
                asdict(reason) | {"severity": reason.severity.value}
                for reason in verdict.reasons
            ],
            "notes": [asdict(note) for note in verdict.notes],
        },
        "budgets": [
            {
                "budget": each.budget.text,
                "value": each.value,
                "kept": each.kept,
                "sentence": each.sentence,
            }
            for each in budgets
        ],
        "counts": asdict(found.counts) | {"failed": found.counts.failed},
        "rates": asdict(found.rates),
        "bytes": found.bytes,
        "statuses": {str(status): count for status, count in found.statuses.items()},
        "failures": [asdict(each) for each in found.failures],
        "successes": _timing(found.successes),
        "errors": _timing(found.errors),
        "failed": _timing(found.failed),
        "requests": [
            {
                "name": each.name,
                "planned": each.planned,
                "succeeded": each.succeeded,
                "errors": each.errors,
                "failed": each.failed,
                "successes": _timing(each.timing),
            }
            for each in found.requests
        ],
        "connections": asdict(found.connections)
        | {"first": [asdict(each) for each in run.connections]},
        "lateness": _statistics(found.lateness),
        "waits": _statistics(found.waits),
        "late_free": found.late_free,
        "late_waiting": found.late_waiting,
        "waterfalls": {"cold": _waterfall(run.cold), "warm": _waterfall(run.warm)},
        "seconds": [asdict(each) for each in found.seconds],
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "from_plan": _statistics(timing.from_plan),
        "from_send": _statistics(timing.from_send),
        "first_byte": _statistics(timing.first_byte),
    }


def _statistics(statistics: Statistics | None) -> dict[str, Any] | None:
    """A percentile without an upper bound is at least its value."""
    if statistics is None:
        return None
    return {
        "count": statistics.count,
        "minimum": statistics.minimum,
        "mean": statistics.mean,
        "maximum": statistics.maximum,
        "percentiles": {
            each.name: {
                "value": each.value,
                "lower": each.lower,
                "upper": each.upper,
                "known": each.is_known,
            }
            for each in statistics.percentiles
        },
    }


def _waterfall(waterfall: Waterfall | None) -> dict[str, Any] | None:
    return None if waterfall is None else asdict(waterfall) | {"total": waterfall.total}
