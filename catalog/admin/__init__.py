"""The catalog in the admin: a module for each thing that is kept there."""

from catalog.admin import brands, options, products, skus

__all__ = ["brands", "options", "products", "skus"]
