"""Plain ASGI: types, routing, lifespan, access log, body limit, and problem details.

It works under any ASGI server. Imports no other room.
"""
