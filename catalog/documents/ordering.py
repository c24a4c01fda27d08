"""The orders in which products can be listed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """The columns to sort by, which make the order total, and its label in forms."""

    columns: tuple[str, ...]
    label: str


# By the value of `order` in the query string.
ORDERS = {
    "product_id": Order(("id",), "ID, ascending"),
    "-product_id": Order(("-id",), "ID, descending"),
    "product_name": Order(("name", "id"), "name, A to Z"),
    "-product_name": Order(("-name", "-id"), "name, Z to A"),
}
DEFAULT_ORDER = next(iter(ORDERS))
