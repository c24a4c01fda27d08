"""Keyset pagination: pages of a long list, and the cursors that lead to the next.

A cursor is the position of the last row of the page before. So page 10,000 costs what
page 1 costs, and rows that are inserted or deleted meanwhile cause neither duplicates
nor gaps.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from catalog.documents.ordering import DEFAULT_ORDER, ORDERS
from catalog.documents.row_id import is_possible_id

DEFAULT_LIMIT = 20  # rows
MAX_LIMIT = 100
# Characters: a shorter text has no trigram, by which the index finds names.
MIN_SEARCH_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a row in an order: its ID and its name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Page:
    """The parameters of a page. Requests for equal pages share one query."""

    path: str
    limit: int = DEFAULT_LIMIT
    order: str = DEFAULT_ORDER
    brand_id: int | None = None
    q: str | None = None
    after: Position | None = None

    def url(self) -> str:
        """Without parameters that have their default."""
        parameters = {
            "limit": self.limit if self.limit != DEFAULT_LIMIT else None,
            "order": self.order if self.order != DEFAULT_ORDER else None,
            # The ID in /brands/7/products is part of the path.
            "brand_id": None if self.path.startswith("/brands/") else self.brand_id,
            "q": self.q,
            "cursor": cursor_of(self.order, self.after) if self.after else None,
        }
        given = {name: each for name, each in parameters.items() if each is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path

    def first(self) -> "Page":
        return replace(self, after=None)


def links(page: Page, last: Position | None) -> str:
    """The Link header (RFC 8288) of a page; `last` is None if no rows come after it."""
    first = f'<{page.first().url()}>; rel="first"'
    if last is None:
        return first
    return f'{first}, <{replace(page, after=last).url()}>; rel="next"'


def cursor_of(order: str, position: Position) -> str:
    """Opaque to clients. It includes the order, in which alone the position is valid."""
    content = json.dumps([order, position.id, position.name], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def parse_cursor(text: str, order: str) -> Position:
    """Raises ValueError with a message for the client."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        found = json.loads(content)
    except (binascii.Error, ValueError, RecursionError):
        raise ValueError(INVALID_CURSOR) from None
    match found:
        case [str(), int(row_id), str(name)] if is_possible_id(
            row_id
        ) and not UNWRITABLE.search(name):
            if found[0] != order:
                raise ValueError(
                    f"belongs to another order: send order={found[0]}, or leave out the cursor"
                    if found[0] in ORDERS
                    else INVALID_CURSOR
                )
            return Position(row_id, name)
    raise ValueError(INVALID_CURSOR)


# No text in PostgreSQL contains these.
UNWRITABLE = re.compile("[\0\ud800-\udfff]")
INVALID_CURSOR = 'should be the cursor of a Link with rel="next", or left out'
