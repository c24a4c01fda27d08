"""The members of a plan's JSON document, as pydantic models: types, bounds and defaults.

What depends on several objects, or on the limits of an installation, is in `document`.
"""
