"""Waiting on an event loop: together for one answer, until a deadline, for a free place.

Imports `asgi`.
"""
