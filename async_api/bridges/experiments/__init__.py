"""The experiments: one module for each kind, what they have in common, and their registry.

Imports the rest of `bridges`, to record what an experiment does.
"""
