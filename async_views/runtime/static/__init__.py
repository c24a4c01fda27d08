"""Static files, kept in memory and served before Django.

Imports `asgi`, and `handler` for the security headers.
"""
