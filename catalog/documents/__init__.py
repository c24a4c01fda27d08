"""The catalog's JSON documents: the queries that make them, and their representation.

Imports `models`.
"""
