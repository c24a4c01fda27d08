"""Waiting on an event loop: shared queries, timers, deadlines, limits, and the loop's lag.

Imports `asgi`.
"""
