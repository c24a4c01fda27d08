"""Whether a run's numbers describe the target rather than the generator.

A run in which the generator was the limit is INVALID. A run in which the target was the
limit is not: its latency from plan tells how long people would have waited. Every
threshold is in `thresholds`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import request_count
from async_api.load.plan.plan import Plan, Steps
from async_api.load.result import thresholds as limits
from async_api.load.result.measurement import (
    SECOND,
    Measurement,
    PerSecond,
    is_open,
)
from async_api.load.result.trends import kendall_deviations, theil_sen_slope
from async_api.load.run import Run
from async_api.verdict_word import Word, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the numbers may mislead; `code` never changes its meaning."""

    code: str
    number: float
    threshold: float
    unit: str  # "share", "us", "requests"
    severity: Word
    sentence: str  # what happened, and what to do


@dataclass(frozen=True, slots=True)
class Note:
    """What to know about the numbers, whatever the verdict."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    word: Word
    reasons: tuple[Reason, ...]  # the most serious first
    notes: tuple[Note, ...] = ()


def judge(run: Run, found: Measurement, *, same_site: bool = False) -> Verdict:
    """The verdict on a run; `same_site` where the target is the site that asked for it."""
    reasons = sorted(
        (
            *_machine(run, found),
            *_plan(run, found),
            *_pauses(run, found),
            *_near(same_site),
            *_steadiness(run, found),
            *_samples(found),
        ),
        key=lambda reason: reason.severity is not Word.INVALID,
    )
    word = worst([reason.severity for reason in reasons])
    return Verdict(word, tuple(reasons), tuple(_notes(run, found, word, same_site)))


def occupied(run: Run, seconds: Sequence[int]) -> float:
    """The share of these seconds in which the generator worked or waited for a processor.

    Yielding until a planned time is not work. What the hypervisor took away is not idle
    time either.
    """
    time = used = 0
    for index in seconds:
        if index < len(run.seconds):
            time += max(0, min(SECOND, run.duration - index * SECOND))
            each = run.seconds[index]
            used += each.cpu - each.spinning + each.queued + each.steal
    return max(0.0, min(1.0, used / time)) if time >= limits.OCCUPIED_TIME else 0.0


def _judged(run: Run) -> list[int]:
    """The seconds after the warm-up; all of them where none is."""
    warm_up = run.plan.conditions.warm_up_seconds
    whole = [each for each in range(len(run.seconds)) if each >= warm_up]
    return whole or list(range(len(run.seconds)))


def _steps(run: Run) -> list[list[int]]:
    """The judged seconds by step of the plan."""
    judged = _judged(run)
    load = run.plan.load
    if not isinstance(load, Steps):
        return [judged]
    last = len(load.values) - 1
    steps: list[list[int]] = [[] for _ in load.values]
    for second in judged:
        steps[min(int(second / load.seconds), last)].append(second)
    return [step for step in steps if step]


def _machine(run: Run, found: Measurement) -> Iterator[Reason]:
    if run.exhausted:
        yield Reason(
            code="exhausted",
            number=1,
            threshold=0,
            unit="resources",
            severity=Word.INVALID,
            sentence=f"This machine ran out of {run.exhausted}, so requests failed here "
            "and not at the target. Use fewer connections, keep them alive, or raise the "
            "limit.",
        )
    late = found.late_free + found.late_waiting
    if is_open(run.plan):
        not_kept = found.counts.share(late) > limits.LATE_SHARE
        # A late request was held up between its planned time and its send, so the
        # generator is judged while it had such requests.
        first, last = _late_span(found.seconds) if not_kept else (0, 0)
        # The last second ends in waiting for the last responses.
        whole = range(first, min(last, run.duration // SECOND))
        judged = (whole or range(first, last)) if not_kept else _judged(run)
        share = occupied(run, judged)
        severity = Word.INVALID if not_kept else Word.SUSPECT
    else:
        share = max(occupied(run, step) for step in _steps(run))
        severity = Word.INVALID
    # The last second may be too short to be one.
    seconds = [each for each in _judged(run) if (each + 1) * SECOND <= run.duration]
    busy = [each for each in seconds if occupied(run, [each]) > limits.OCCUPIED_INVALID]
    advice = (
        "Ask for less, or use several machines: the target may be faster than it looks."
    )
    if share > limits.OCCUPIED_INVALID:
        yield Reason(
            code="generator_cpu",
            number=share,
            threshold=limits.OCCUPIED_INVALID,
            unit="share",
            severity=severity,
            sentence=f"The generator needed {share:.0%} of a core, so it was "
            f"{'the limit' if severity is Word.INVALID else 'close to its limit'}. "
            + advice,
        )
    elif share > limits.OCCUPIED_SUSPECT:
        yield Reason(
            code="generator_cpu",
            number=share,
            threshold=limits.OCCUPIED_SUSPECT,
            unit="share",
            severity=Word.SUSPECT,
            sentence=f"The generator needed {share:.0%} of a core, so some responses "
            f"were read late. {advice}",
        )
    elif len(busy) > limits.BUSY_SECONDS_SHARE * len(seconds):
        yield Reason(
            code="generator_cpu_seconds",
            number=len(busy) / len(seconds),
            threshold=limits.BUSY_SECONDS_SHARE,
            unit="share",
            severity=Word.SUSPECT,
            sentence=f"In {len(busy)} of {len(seconds)} seconds the generator needed a "
            f"whole core. {advice}",
        )


def _late_span(seconds: Sequence[PerSecond]) -> tuple[int, int]:
    """From the first second with late requests until the last send."""
    first = next(each.second for each in seconds if each.late)
    last = max(each.second for each in seconds if each.late or each.sent)
    return first, last + 1


def _plan(run: Run, found: Measurement) -> Iterator[Reason]:
    if not is_open(run.plan):
        return
    late = found.counts.share(found.late_free)
    if late > limits.LATE_SHARE:
        yield Reason(
            code="plan_not_kept",
            number=late,
            threshold=limits.LATE_SHARE,
            unit="share",
            severity=Word.INVALID,
            sentence=f"{request_count(found.late_free)} went out more than "
            f"{duration(limits.LATE)} late although a connection was free: the generator "
            "did not keep the plan. Ask for a lower rate, or stop what else runs here.",
        )
    if found.lateness is None:
        return
    lateness = found.lateness.percentile(99).value
    latency = found.successes.from_plan
    tolerated = max(
        limits.LATENESS_SUSPECT,
        limits.LATENESS_SHARE * latency.median if latency else 0,
    )
    if lateness > tolerated:
        yield Reason(
            code="lateness",
            number=lateness,
            threshold=tolerated,
            unit="us",
            severity=Word.SUSPECT,
            sentence=f"1 % of the requests went out {duration(lateness)} late or more "
            "although a connection was free, which latency from plan includes. Stop what "
            "else runs on this machine, or read latency from send.",
        )


def _pauses(run: Run, found: Measurement) -> Iterator[Reason]:
    seconds = [run.seconds[index] for index in _judged(run)]
    time = max(1, run.duration - min(_judged(run), default=0) * SECOND)
    collecting = sum(each.collecting for each in seconds) / time
    if collecting > limits.COLLECTING_SHARE:
        yield Reason(
            code="garbage_collection",
            number=collecting,
            threshold=limits.COLLECTING_SHARE,
            unit="share",
            severity=Word.SUSPECT,
            sentence=f"The generator collected garbage for {collecting:.1%} of the time; "
            "responses that arrived meanwhile appear slower. Use fewer connections.",
        )
    steal = sum(each.steal for each in seconds) / time
    if steal > limits.STEAL_SHARE:
        yield Reason(
            code="steal",
            number=steal,
            threshold=limits.STEAL_SHARE,
            unit="share",
            severity=Word.SUSPECT,
            sentence=f"The hypervisor gave {steal:.1%} of this machine's processors to "
            "others; some times are longer than they should be. Use another machine.",
        )
    lag = sum(each.lag for each in seconds) / time
    longest = max((each.lag for each in seconds), default=0)
    timing = found.successes.from_send
    tolerated = max(limits.LAG_TOLERATED, timing.median / 2 if timing else 0)
    if lag > limits.LAG_SHARE and longest > tolerated:
        yield Reason(
            code="lag",
            number=lag,
            threshold=limits.LAG_SHARE,
            unit="share",
            severity=Word.SUSPECT,
            sentence=f"The generator's event loop was late by up to {duration(longest)}, "
            "so some responses were read that much too late. Stop what else runs on this "
            "machine.",
        )


def _near(same_site: bool) -> Iterator[Reason]:
    if same_site:
        yield Reason(
            code="same_site",
            number=1,
            threshold=0,
            unit="targets",
            severity=Word.SUSPECT,
            sentence="The target is this site itself, which also shows this run. Measure "
            "it from another machine.",
        )


def _steadiness(run: Run, found: Measurement) -> Iterator[Reason]:
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


def _samples(found: Measurement) -> Iterator[Reason]:
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


def _notes(run: Run, found: Measurement, word: Word, same_site: bool) -> Iterator[Note]:
    # Where the generator was the limit, connections were in use because of it.
    if is_open(run.plan) and word is not Word.INVALID:
        waiting = found.counts.share(found.late_waiting)
        if waiting > limits.LATE_SHARE:
            yield Note(
                "connections_in_use",
                f"{waiting:.0%} of the requests waited more than "
                f"{duration(limits.LATE)} because every one of the "
                f"{run.plan.load.connections:,} connections was in use or still opening. "
                "Latency from plan includes that wait and tells what a visitor would "
                "have seen; latency from send leaves it out.",
            )
    if run.same_machine and not same_site:
        yield Note(
            "same_machine",
            "The target runs on this machine and shares its processors.",
        )
    if run.cancelled:
        yield Note(
            "cancelled", "The run was cancelled; its numbers are of what it had sent."
        )
    if found.counts.redirects:
        yield Note(
            "redirects",
            f"{request_count(found.counts.redirects)} had a redirect as its response, "
            "which was not followed.",
        )
    if run.strays:
        yield Note(
            "strays",
            f"{request_count(run.strays)} had a response followed by bytes that belong "
            "to no response; their connections were closed.",
        )
