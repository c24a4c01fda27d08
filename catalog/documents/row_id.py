"""IDs of rows: the integers in URLs and query strings that are primary keys."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

MAX_ID = 2**31 - 1  # the largest integer in PostgreSQL, the type of all primary keys

_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")


def parse_id(text: object) -> int:
    """Return any integer: an ID that no row can have is "not found", not invalid.

    Raises ValueError for other text.
    """
    if isinstance(text, str) and _INTEGER.fullmatch(text):
        return int(text)
    raise ValueError("should be an integer, such as 1")


def is_possible_id(row_id: int) -> bool:
    """Whether a row could have this ID. PostgreSQL refuses to compare larger numbers."""
    return 0 < row_id <= MAX_ID


RowId = Annotated[int, BeforeValidator(parse_id), WithJsonSchema({"type": "integer"})]
