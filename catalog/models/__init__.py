"""The models of the catalog."""

from catalog.models.idempotency import RememberedAnswer
from catalog.models.product import Brand, Product, ProductColor, ProductSize, Sku
from catalog.models.token import AccessToken, Scope

__all__ = [
    "AccessToken",
    "Brand",
    "Product",
    "ProductColor",
    "ProductSize",
    "RememberedAnswer",
    "Scope",
    "Sku",
]
