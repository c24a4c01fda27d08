"""Reasons that lie in what was measured: trends, few samples, and mostly failures."""

from collections.abc import Iterator
from statistics import median

from async_api.drawing.text_equivalent import request_count
from async_api.load.plan.pace import SECOND
from async_api.load.plan.plan import Plan, Steps
from async_api.load.result import thresholds as limits
from async_api.load.result.measurement import Measurement, PerSecond
from async_api.load.result.reason import Reason
from async_api.load.result.trends import kendall_deviations, theil_sen_slope
from async_api.load.run import Run
from async_api.verdict_word import Word


def steadiness_reasons(run: Run, found: Measurement) -> Iterator[Reason]:
    yield from _drift(run, found)
    if isinstance(run.plan.load, Steps):
        return
    medians = [
        each.from_send.p50 for each in _with_successes(run, found) if each.from_send
    ]
    if len(medians) < limits.WARM_UP_SECONDS:
        return
    first = medians[: limits.WARM_UP_FIRST]
    later = medians[limits.WARM_UP_FIRST :]
    slower = median(first) / max(1, median(later)) - 1
    if min(first) > max(later) and slower > limits.WARM_UP_SHARE:
        yield Reason(
            code="warm_up_too_short",
            number=slower,
            threshold=limits.WARM_UP_SHARE,
            unit="share",
            severity=Word.SUSPECT,
            sentence=f"The first {limits.WARM_UP_FIRST} measured seconds were "
            f"{slower:.0%} slower than the others. Give the target a longer warm-up.",
        )


def _drift(run: Run, found: Measurement) -> Iterator[Reason]:
    step = set(_last_step(run.plan, run.duration))
    within = [each for each in _with_successes(run, found) if each.second in step]
    if not isinstance(run.plan.load, Steps):
        within = within[len(within) // 2 :]
    medians = [each.from_plan.p50 for each in within if each.from_plan]
    if len(medians) < limits.DRIFT_SECONDS:
        return
    growth = theil_sen_slope(medians) * (len(medians) - 1) / max(1, median(medians))
    rising = kendall_deviations(medians) > limits.DRIFT_DEVIATIONS
    if rising and growth > limits.DRIFT_SHARE:
        yield Reason(
            code="drift",
            number=growth,
            threshold=limits.DRIFT_SHARE,
            unit="share",
            severity=Word.SUSPECT,
            sentence="Latency was still rising at the end, by "
            f"{growth:.0%} of its median in {len(medians)} s: percentiles depend on how "
            "long the run was. Ask for less, or run until it is steady.",
        )


def _last_step(plan: Plan, until: int) -> range:
    load = plan.load
    began = (len(load.values) - 1) * load.seconds if isinstance(load, Steps) else 0
    return range(round(began), until // SECOND + 1)


def _with_successes(run: Run, found: Measurement) -> list[PerSecond]:
    """The whole seconds of the measured part that have latencies."""
    return [
        each
        for each in found.seconds
        if each.from_plan
        and each.second * SECOND >= found.measured_from
        and (each.second + 1) * SECOND <= run.duration
    ]


def sample_reasons(found: Measurement) -> Iterator[Reason]:
    counts = found.counts
    if counts.succeeded < limits.SAMPLES:
        yield Reason(
            code="few_samples",
            number=counts.succeeded,
            threshold=limits.SAMPLES,
            unit="requests",
            severity=Word.SUSPECT,
            sentence=f"{request_count(counts.succeeded)} succeeded, and p99 is known only "
            f"from {limits.SAMPLES} on: it is a lower bound here. Send more requests.",
        )
    failed = counts.share(counts.failed + counts.errors)
    if failed > limits.FAILED_SHARE:
        yield Reason(
            code="mostly_failures",
            number=failed,
            threshold=limits.FAILED_SHARE,
            unit="share",
            severity=Word.SUSPECT,
            sentence=f"{failed:.0%} of the requests failed or had an error status, so the "
            "latencies are those of a minority. Look at the failures first.",
        )
