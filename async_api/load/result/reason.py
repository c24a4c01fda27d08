"""Why the numbers of a run may mislead, and what else to know about them."""

from dataclasses import dataclass

from async_api.verdict_word import Word


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
