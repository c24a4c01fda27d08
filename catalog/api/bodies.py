"""What does the body of a request say?"""

import json
from typing import Any, NoReturn

# As many as no number here has, and fewer than Python refuses to read.
MOST_DIGITS = 1000


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that the body is (RFC 8259).

    Raises ValueError with what is wrong with it. A member that is there twice is wrong
    too: which of the two counts, readers of JSON do not agree.
    """
    try:
        document = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=members,
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


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the member {json.dumps(name[:100])} is there twice")
        found[name] = value
    return found


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def parse_integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has more than {MOST_DIGITS:,} digits")
    return int(digits)
