"""Reading the JSON object in a request's body.

Stricter than the `json` module: repeated members, NaN and very long numbers are refused.
"""

import json
from typing import Any, NoReturn

# More than any valid number here has, and fewer than Python refuses to convert.
MAX_DIGITS = 1000


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object (RFC 8259) in `body`.

    Raises ValueError with a description of what is wrong. A repeated member is refused,
    because JSON parsers disagree about which of its values counts.
    """
    try:
        document = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=unique_members,
            parse_constant=refuse_constant,
            parse_int=parse_integer,
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"at line {error.lineno}, column {error.colno}"
        raise ValueError(f"{error.msg}, {place}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError('it should be an object, such as {"brand_name": "Acme"}')
    return document


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the member {json.dumps(name[:100])} is there twice")
        members[name] = value
    return members


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def parse_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS:,} digits")
    return int(digits)
