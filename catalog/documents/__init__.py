"""The catalog's JSON documents: the queries that write them, and their representations.

Imports `models`.
"""
