"""From ASGI to a Django view without a thread, with Django's middleware in place.

All use of Django's internals in the request path is here; README.md lists it. Imports
`asgi` and `waiting`.
"""
