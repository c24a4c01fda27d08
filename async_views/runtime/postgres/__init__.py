"""PostgreSQL: the embedded server, the asynchronous connection pool, and the bus.

Imports `asgi` and `waiting`.
"""
