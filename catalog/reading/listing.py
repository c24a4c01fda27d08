"""Listings of products and brands, as the pages for people show them."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from catalog.reading.pagination import Page

Row = TypeVar("Row")


class ListedProduct(NamedTuple):
    """The columns of queries.listing_of_products."""

    product_id: int
    name: str
    brand_id: int
    brand_name: str


class ListedBrand(NamedTuple):
    """The columns of queries.listing_of_brands."""

    brand_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """The rows of a page, and the next page; None if this is the last."""

    rows: tuple[Row, ...]
    next: Page | None
