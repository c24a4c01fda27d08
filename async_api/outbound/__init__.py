"""Checks that every HTTP client of this site makes before it connects.

Targets, the guard and its addresses, lookups of names, and the kinds of failure. Imports
no HTTP client and no other part of `async_api`.
"""
