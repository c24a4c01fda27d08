"""From ASGI to a Django view without a thread, with Django's middleware in place.

All that reaches into Django's request path is here; README.md lists it. Imports `asgi`
and `waiting`.
"""
