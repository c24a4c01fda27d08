"""Plain ASGI, and what every error says: types, routing, lifespan, access log, body limit.

It works under any ASGI server and in front of any framework. Imports no other room.
"""
