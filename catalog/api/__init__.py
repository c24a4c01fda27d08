"""The JSON API: schemas, methods, routes and the OpenAPI document.

Imports `access`, `reading` and `writing`.
"""
