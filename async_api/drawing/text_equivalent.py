"""What does a picture say to those who do not see it?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a picture; the first cell of a row heads it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def request_count(count: int) -> str:
    """Such as "1 request" and "1,000 requests"."""
    return "1 request" if count == 1 else f"{count:,} requests"
