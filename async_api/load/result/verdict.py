"""Whether a run's numbers describe the target rather than the generator.

A run in which the generator was the limit is INVALID. A run in which the target was the
limit is not: its latency from plan tells how long people would have waited. Every
threshold is in `thresholds`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from async_api.drawing.duration import duration
from async_api.drawing.text_equivalent import request_count
from async_api.load.plan.pace import is_paced
from async_api.load.result import thresholds as limits
from async_api.load.result.instrument import (
    machine_reasons,
    pause_reasons,
    plan_reasons,
)
from async_api.load.result.measurement import Measurement
from async_api.load.result.reason import Note, Reason
from async_api.load.result.steadiness import sample_reasons, steadiness_reasons
from async_api.load.run import Run
from async_api.verdict_word import Word, worst


@dataclass(frozen=True, slots=True)
class Verdict:
    word: Word
    reasons: tuple[Reason, ...]  # the most serious first
    notes: tuple[Note, ...] = ()


def judge(run: Run, found: Measurement, *, same_site: bool = False) -> Verdict:
    """The verdict on a run; `same_site` where the target is the site that asked for it."""
    reasons = sorted(
        (
            *machine_reasons(run, found),
            *plan_reasons(run, found),
            *pause_reasons(run, found),
            *_near(same_site),
            *steadiness_reasons(run, found),
            *sample_reasons(found),
        ),
        key=lambda reason: reason.severity is not Word.INVALID,
    )
    word = worst([reason.severity for reason in reasons])
    return Verdict(word, tuple(reasons), tuple(_notes(run, found, word, same_site)))


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


def _notes(run: Run, found: Measurement, word: Word, same_site: bool) -> Iterator[Note]:
    # Where the generator was the limit, connections were in use because of it.
    if is_paced(run.plan.load) and word is not Word.INVALID:
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
