"""Filling a catalog: the example data, and databases that another program made.

Imports `writing` for the sequences.
"""
