"""Reading and validating the environment, and the steps of management commands.

Imports `asgi`, for the addresses of trusted proxies.
"""
