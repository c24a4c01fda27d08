"""Which page of a long list, and where does the next one begin?

By keyset: a cursor says after which row the page begins, so that page 10,000 costs what
page 1 does, and rows that come and go meanwhile are neither shown twice nor missed.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from catalog.documents.identity import is_possible
from catalog.documents.questions import ORDERS

PRODUCTS = "/products"
FIRST_ORDER = next(iter(ORDERS))
USUAL_ROWS = 20
MOST_ROWS = 100
# Characters: what is shorter has no trigram by which it could be found.
LEAST_SEARCHED = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an order a row is: its number and its name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Page:
    """A question for some of the products; equal ones are answered together."""

    path: str
    limit: int = USUAL_ROWS
    order: str = FIRST_ORDER
    brand_id: int | None = None
    q: str | None = None
    after: Place | None = None

    def address(self) -> str:
        """Where this page is."""
        asked = {
            "limit": self.limit if self.limit != USUAL_ROWS else None,
            "order": self.order if self.order != FIRST_ORDER else None,
            # That of /brands/7/products is in the path.
            "brand_id": None if self.path.startswith("/brands/") else self.brand_id,
            "q": self.q,
            "cursor": cursor_of(self.order, self.after) if self.after else None,
        }
        given = {name: each for name, each in asked.items() if each is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path

    def first(self) -> "Page":
        return replace(self, after=None)


def links(page: Page, last: Place | None) -> str:
    """The Link header field (RFC 8288) of a page; `last` where more rows come after it."""
    first = f'<{page.first().address()}>; rel="first"'
    if last is None:
        return first
    return f'{first}, <{replace(page, after=last).address()}>; rel="next"'


def cursor_of(order: str, place: Place) -> str:
    """Opaque to clients. The order is in it, as in another the place would be no place."""
    content = json.dumps([order, place.id, place.name], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def parse_cursor(text: str, order: str) -> Place:
    """Raises ValueError with a sentence for the client."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        found = json.loads(content)
    except (binascii.Error, ValueError, RecursionError):
        raise ValueError(NO_CURSOR) from None
    match found:
        case [str(), int(number), str(name)] if is_possible(
            number
        ) and not UNWRITABLE.search(name):
            if found[0] != order:
                raise ValueError(
                    f"belongs to another order: ask with order={found[0]} or begin anew"
                    if found[0] in ORDERS
                    else NO_CURSOR
                )
            return Place(number, name)
    raise ValueError(NO_CURSOR)


# What no text of PostgreSQL has in it.
UNWRITABLE = re.compile("[\0\ud800-\udfff]")
NO_CURSOR = 'should be a cursor that a Link with rel="next" had, or left out'
