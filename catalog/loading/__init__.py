"""Fills a catalog: with example data, or by adopting a database from another program.

Imports `models`, and `writing` for the sequences.
"""
