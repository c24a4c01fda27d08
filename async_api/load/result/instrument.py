"""Reasons that lie in the generator or its machine: processor, lateness and pauses."""

from collections.abc import Iterator, Sequence

from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import request_count
from async_api.load.plan.pace import SECOND, is_paced
from async_api.load.plan.plan import Steps
from async_api.load.result import thresholds as limits
from async_api.load.result.measurement import Measurement, PerSecond
from async_api.load.result.reason import Reason
from async_api.load.run import Run
from async_api.verdict_word import Word


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


def machine_reasons(run: Run, found: Measurement) -> Iterator[Reason]:
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
    if is_paced(run.plan.load):
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


def plan_reasons(run: Run, found: Measurement) -> Iterator[Reason]:
    if not is_paced(run.plan.load):
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


def pause_reasons(run: Run, found: Measurement) -> Iterator[Reason]:
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
