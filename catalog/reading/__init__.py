"""Reads from the worker's pool, shared by the requests that wait for them, and pages.

Imports `documents`.
"""
