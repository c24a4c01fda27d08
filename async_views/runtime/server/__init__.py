"""The worker that gunicorn runs, with its HTTP and WebSocket protocols and their limits.

All use of the internals of uvicorn and gunicorn is here; README.md lists it. Imports `asgi`
and `waiting`.
"""
