"""What does the catalog keep?"""

from catalog.models.product import Brand, Product, ProductColor, ProductSize, Sku

__all__ = ["Brand", "Product", "ProductColor", "ProductSize", "Sku"]
