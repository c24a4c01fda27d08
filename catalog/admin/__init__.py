"""The catalog in the admin, a module for each kind of object.

Imports `files`, which only `file_pages` does, `access` for the tokens, `models` and
`writing`.
"""

from catalog.admin import brands, options, products, skus, tokens

__all__ = ["brands", "options", "products", "skus", "tokens"]
