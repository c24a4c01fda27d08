"""Text equivalents of pictures: tables with the same numbers, and sentences."""

from dataclasses import dataclass

MAX_TABLE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a picture; the first cell of each row is its heading."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def request_count(count: int) -> str:
    """Such as "1 request" and "1,000 requests"."""
    return "1 request" if count == 1 else f"{count:,} requests"
