"""Classes of outcomes: by the first digit of the status, or failed.

All figures, tables and sentences about a probe use these classes, in this order and with
these labels. `figures.css` gives each class a colour and a texture.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from async_api.probe.measurement import Sample, Summary


class Outcome(StrEnum):
    """The classes of RFC 9110, section 15, and failure, which has no status."""

    INFORMATIONAL = "informational"
    SUCCESS = "success"
    REDIRECT = "redirect"  # one that was not followed, and 304
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    FAILED = "failed"

    @property
    def label(self) -> str:
        """Such as "answered 4xx"; "failed" for a request without a response."""
        return "failed" if self is Outcome.FAILED else f"answered {self.statuses}"

    @property
    def statuses(self) -> str:
        """Such as "4xx"; "" for a request without a response."""
        return STATUSES.get(self, "")

    @property
    def is_trouble(self) -> bool:
        """Whether the target reported an error, or sent no response."""
        return self in TROUBLE


STATUSES = {
    Outcome.INFORMATIONAL: "1xx",
    Outcome.SUCCESS: "2xx",
    Outcome.REDIRECT: "3xx",
    Outcome.CLIENT_ERROR: "4xx",
    Outcome.SERVER_ERROR: "5xx",
}
TROUBLE = frozenset({Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR, Outcome.FAILED})
_BY_FIRST_DIGIT = dict(enumerate(STATUSES, start=1))


def outcome_of(sample: Sample) -> Outcome:
    return Outcome.FAILED if sample.status is None else outcome_of_status(sample.status)


def outcome_of_status(status: int) -> Outcome:
    """The class of a status; above 599 it is a server error (RFC 9110, section 15)."""
    return _BY_FIRST_DIGIT.get(status // 100, Outcome.SERVER_ERROR)


def count_outcomes(summary: Summary) -> dict[Outcome, int]:
    """The number of requests with each outcome, in order, without zeros."""
    counts = Counter({Outcome.FAILED: summary.failed})
    for status, count in summary.statuses.items():
        counts[outcome_of_status(status)] += count
    return in_order(counts)


def in_order(counts: Counter[Outcome]) -> dict[Outcome, int]:
    """The counts in the order of the classes, without zeros."""
    return {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}


def listed(counts: dict[Outcome, int]) -> str:
    """Such as "5 answered 2xx, 1 failed"."""
    return ", ".join(f"{count:,} {outcome.label}" for outcome, count in counts.items())


def statuses_of(outcomes: Iterable[Outcome]) -> str:
    """Such as "2xx and 3xx", of outcomes that have a status."""
    return " and ".join(outcome.statuses for outcome in outcomes)
