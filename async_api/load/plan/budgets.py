"""Budgets: limits that a run's numbers have to keep, such as ``p95<200ms``."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Clock = Literal["plan", "send", "ttfb"]
Metric = Literal["percentile", "mean", "max", "failed", "errors", "rate"]
Comparison = Literal["<", "<=", ">", ">="]

COMPARISONS: dict[Comparison, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MICROSECONDS = {"us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6}

_BUDGET = re.compile(
    r"\s*(?:(?P<clock>[a-z]+)\.)?(?P<metric>[a-z]+[0-9.]*)\s*(?P<comparison><=|>=|<|>)"
    r"\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>\S*)\s*"
)
_PERCENTILE = re.compile(r"p([0-9]{1,3}(?:\.[0-9]+)?)")
EXAMPLES = (
    "p95<200ms, send.p99<=1s, ttfb.mean<50ms, failed<1%, errors<1% and rate>=480/s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One limit; it is kept if `metric` `comparison` `bound` is true.

    The metrics `percentile`, `mean` and `max` are times, in microseconds, on one of three
    clocks: `plan`, the latency from the planned time, where the budget names none; `send`,
    the latency from the send; `ttfb`, from the send to the first byte. `failed` (requests
    that failed) and `errors` (responses with a status of 400 or more) are shares from 0 to
    1. `rate` is responses per second.
    """

    text: str
    metric: Metric
    comparison: Comparison
    bound: float
    latency: Clock | None = None  # of times only
    percentile: float | None = None  # 0 to 100, where the metric is one

    def is_kept_by(self, value: float) -> bool:
        return COMPARISONS[self.comparison](value, self.bound)


def parse_budget(text: str) -> Budget:
    """Raises ValueError with a clause that says what is wrong with the text."""
    parts = _BUDGET.fullmatch(text)
    if parts is None:
        raise ValueError(
            "must be a metric, one of < <= > >= and a number with its unit; valid are "
            f"{EXAMPLES}"
        )
    comparison = _comparison(parts["comparison"])
    # Keyboards write either the micro sign or the Greek letter.
    number, unit = float(parts["number"]), parts["unit"].replace("\u03bc", "µ")
    if parts["metric"] in {"failed", "errors", "rate"}:
        if parts["clock"] is not None:
            raise ValueError(
                f"{parts['metric']} is not a time; write it without {parts['clock']}."
            )
        if parts["metric"] == "rate":
            _require_unit(unit, ("/s",), "rate>=480/s")
            return Budget(text=text, metric="rate", comparison=comparison, bound=number)
        _require_unit(unit, ("%",), f"{parts['metric']}<1%")
        if number > 100:
            raise ValueError("a share is at most 100%")
        if comparison == "<" and number == 0:
            raise ValueError(
                f"no share is less than 0%; write {parts['metric']}<=0% for none at all"
            )
        return Budget(
            text=text,
            metric="failed" if parts["metric"] == "failed" else "errors",
            comparison=comparison,
            bound=number / 100,
        )
    metric, percentile = _time(parts["metric"])
    _require_unit(unit, ("us", "µs", "ms", "s"), f"{parts['metric']}<200ms")
    return Budget(
        text=text,
        metric=metric,
        comparison=comparison,
        bound=number * MICROSECONDS[unit],
        latency=_clock(parts["clock"]),
        percentile=percentile,
    )


def _time(name: str) -> tuple[Metric, float | None]:
    if name == "mean":
        return "mean", None
    if name == "max":
        return "max", None
    if (found := _PERCENTILE.fullmatch(name)) and float(found[1]) <= 100:
        return "percentile", float(found[1])
    raise ValueError(
        f"{name} is not a metric; valid are p0 to p100 (with decimals, as p99.9), mean, "
        "max, failed, errors and rate"
    )


def _clock(name: str | None) -> Clock:
    if name is None or name == "plan":
        return "plan"
    if name == "send":
        return "send"
    if name == "ttfb":
        return "ttfb"
    raise ValueError(
        f"{name} is not a clock; valid are plan (the default), send and ttfb"
    )


def _comparison(text: str) -> Comparison:
    return next(each for each in COMPARISONS if each == text)


def _require_unit(unit: str, units: tuple[str, ...], example: str) -> None:
    if unit not in units:
        given = f"the unit {unit} is not valid" if unit else "the number has no unit"
        raise ValueError(f"{given} here; write one of {', '.join(units)}, as {example}")
