"""The words of a command, whichever shell it was written for."""

from dataclasses import dataclass

SHOWN_LENGTH = 40  # of the text in a message


@dataclass(frozen=True, slots=True)
class Words:
    """A command's words, and notes on what its shell would do beside running it.

    Bytes that are not UTF-8 are surrogate escapes, as in `os.fsdecode`.
    """

    words: tuple[str, ...]
    notes: tuple[str, ...] = ()
