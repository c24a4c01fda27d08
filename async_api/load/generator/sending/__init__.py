"""When requests are due, the connections they go out on, and the ledger of outcomes.

Imports `plan`, `wire`, `recording` and `run`, and no other part of the generator.
"""
