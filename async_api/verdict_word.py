"""The words with which this site says whether its numbers can be believed."""

from collections.abc import Iterable
from enum import StrEnum


class Word(StrEnum):
    VALID = "VALID"
    SUSPECT = "SUSPECT"  # some of the numbers may mislead
    INVALID = "INVALID"  # the numbers describe the measuring side


def worst(words: Iterable[Word]) -> Word:
    """The most serious of the words; VALID where there are none."""
    return max(words, key=list(Word).index, default=Word.VALID)
