"""The JSON API: its operations, their schemas, the dispatcher and the OpenAPI document.

Imports `access`, `documents`, `models`, `reading` and `writing`.
"""
