"""The catalog in the admin, a module for each kind of object.

Imports `access` for the tokens, `models`, `writing` for the locks, and, in `file_pages`
only, `files`.
"""

from catalog.admin import brands, options, products, skus, tokens

__all__ = ["brands", "options", "products", "skus", "tokens"]
