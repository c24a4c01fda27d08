"""What does a person see of a part of the catalog?"""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from catalog.reading.pagination import Page

Row = TypeVar("Row")


class ListedProduct(NamedTuple):
    """The columns of questions.listing_of_products."""

    product_id: int
    name: str
    brand_id: int
    brand_name: str


class ListedBrand(NamedTuple):
    """The columns of questions.listing_of_brands."""

    brand_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """Rows in their order, and where those after them are; None where there are none."""

    rows: tuple[Row, ...]
    next: Page | None
