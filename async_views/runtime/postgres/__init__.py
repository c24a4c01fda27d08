"""PostgreSQL for asynchronous code: the embedded server, the connection pool, the bus.

Imports `asgi` and `waiting`.
"""
