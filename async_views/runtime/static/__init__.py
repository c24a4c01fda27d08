"""Static files, held in memory and served before Django is asked.

Imports `asgi`, and `handler` for the security headers.
"""
