"""The experiments: one module for each kind, their common parts, and their registry.

Imports the rest of `bridges`, to record what an experiment does.
"""
