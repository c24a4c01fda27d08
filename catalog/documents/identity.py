"""Which number names a row?"""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

LARGEST = 2**31 - 1  # of PostgreSQL's integer, which all keys here are

_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")


def parse_identity(text: object) -> int:
    """Any integer: one that no row can have is not there, but not wrong either."""
    if isinstance(text, str) and _INTEGER.fullmatch(text):
        return int(text)
    raise ValueError("should be an integer, such as 1")


def is_possible(identity: int) -> bool:
    """Whether a row could have this number; PostgreSQL would refuse to compare others."""
    return 0 < identity <= LARGEST


Identity = Annotated[
    int,
    BeforeValidator(parse_identity),
    WithJsonSchema({"type": "integer"}),
]
