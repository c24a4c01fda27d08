"""Whether a run kept its budgets, each with the value that decides."""

from dataclasses import dataclass

from async_api.drawing.duration import duration
from async_api.load.plan.budgets import Budget, parse_budget
from async_api.load.plan.plan import Plan
from async_api.load.result.measurement import Measurement
from async_api.load.result.percentiles import Statistics, fewest_values

CLOCKS = {"plan": "from plan", "send": "from send", "ttfb": "to first byte"}


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """`value` is in the budget's unit: microseconds, a share, or requests per second.

    It is None where there was no success to time; such a budget is broken.
    """

    budget: Budget
    value: float | None
    kept: bool
    sentence: str


def check_budgets(plan: Plan, found: Measurement) -> tuple[BudgetResult, ...]:
    return tuple(check_budget(parse_budget(text), found) for text in plan.budgets)


def check_budget(budget: Budget, found: Measurement) -> BudgetResult:
    """A percentile with too few samples is judged by its value, and the sentence says so.

    Raises KeyError for a percentile that is not in the measurement.
    """
    match budget.metric:
        case "failed":
            share = found.counts.share(found.counts.failed)
            return _result(budget, share, f"{share:.2%} of the requests failed")
        case "errors":
            share = found.counts.share(found.counts.errors)
            return _result(budget, share, f"{share:.2%} had an error status")
        case "rate":
            rate = found.rates.answered
            return _result(budget, rate, f"{rate:,.1f} responses/s")
        case _:
            return _check_time(budget, found)


def _check_time(budget: Budget, found: Measurement) -> BudgetResult:
    clock = budget.latency or "plan"
    statistics = {
        "plan": found.successes.from_plan,
        "send": found.successes.from_send,
        "ttfb": found.successes.first_byte,
    }[clock]
    if statistics is None:
        return BudgetResult(
            budget, None, False, f"{budget.text}: broken, no request succeeded."
        )
    name, value, doubt = _time(budget, statistics)
    return _result(budget, value, f"{name} {CLOCKS[clock]} is {duration(value)}{doubt}")


def _time(budget: Budget, statistics: Statistics) -> tuple[str, float, str]:
    if budget.metric == "mean":
        return "the mean", statistics.mean, ""
    if budget.metric == "max" or budget.percentile is None:
        return "the maximum", statistics.maximum, ""
    found = statistics.percentile(budget.percentile)
    doubt = ""
    if not found.is_known and 0 < found.percent < 100:
        doubt = (
            f", of {statistics.count:,} samples; it takes "
            f"{fewest_values(found.percent):,} to know it"
        )
    return found.name, found.value, doubt


def _result(budget: Budget, value: float, clause: str) -> BudgetResult:
    kept = budget.is_kept_by(value)
    word = "kept" if kept else "broken"
    return BudgetResult(budget, value, kept, f"{budget.text}: {word}, {clause}.")
