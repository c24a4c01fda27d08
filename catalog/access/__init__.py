"""Access control of the API: tokens, sessions of staff, and rate limits.

Imports `models`.
"""
